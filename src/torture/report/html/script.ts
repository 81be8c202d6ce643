/** What the page does beyond showing: it hides the algorithms whose name does not have what is typed. Without it all are there. */
export const script = `{
const input = document.createElement('input')
Object.assign(input, { id: 'filter', type: 'search', placeholder: 'Only algorithms named …' })
input.setAttribute('aria-label', 'Only algorithms named')
input.addEventListener('input', () => {
  for (const each of document.querySelectorAll('[data-algorithm]')) {
    each.hidden = !each.dataset.algorithm.includes(input.value.trim().toLowerCase())
  }
})
document.querySelector('header').append(input)
}`
