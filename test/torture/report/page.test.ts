/** The page of a result: as text, and in a real browser. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inflateSync } from 'node:zlib'
import { campaign } from '#dist/torture/campaign.js'
import { faultKinds } from '#dist/torture/index.js'
import { toHtml } from '#dist/torture/report/html/page.js'
import { Chromium, chromiumPath } from '../../support/chromium.js'
import { requirePeer } from '../../support/peers.js'
import { algorithms, Fake, rules } from '../campaign/fakes.js'

const faults = faultKinds.map(({ name }) => name)
const result = await campaign(
  { laboratories: [new Fake(), new Fake('processes')], algorithms, faults, seeds: 12 },
  rules,
)
const page = toHtml(result)

test('every row and cell, the worst runs with their overlaps, and how to replay them', () => {
  const [, simulated] = page.split('<h2>')
  for (const { name } of algorithms) {
    const [, row] = simulated.split(`<tr data-algorithm="${name}">`)
    assert.equal(row.split('</tr>')[0].match(/<td/g)?.length, faults.length - 1)
  }
  assert.match(
    simulated,
    /<td class="b3 story" title="careless under none; overlap in 6 runs; first with seed 2; its story/,
  )
  assert.match(simulated, /<a href="#simulation-sound">12\/12¹<\/a>/)
  for (const laboratory of ['simulation', 'processes']) {
    for (const { name } of algorithms) {
      const [, article] = page.split(`<article id="${laboratory}-${name}"`)
      const drawing = article.split('</article>')[0]
      assert.match(drawing, /participant 0 \(fence 71\) and participant 1 \(fence 72\) believed at once/)
      assert.match(drawing, /<rect class="overlap"/)
      assert.match(
        drawing,
        new RegExp(`latchkey torture --replay ${name}/[a-z-]+/12${laboratory === 'processes' ? ' --mode real' : '<'}`),
      )
      assert.equal(/class="update lost"/.test(drawing), name === 'forgetful')
    }
  }
})

test('whatever is told is escaped, and nothing outside is referred to', () => {
  assert.ok(page.includes('looks, &lt;then&gt; sets'))
  assert.ok(page.includes('two &lt;b&gt;at once&lt;/b&gt;'))
  assert.ok(page.includes('a&quot;&lt;b&gt;'))
  assert.doesNotMatch(page, /<then>|<b>at once|"a"<b>|no <server>/)
  assert.doesNotMatch(page, /https?:|\/\/[a-z]|@import|url\(|<link(?! rel="icon" href="data:,")|\ssrc=/)
})

test('in Chromium, from the disk, with no network', { timeout: 120_000 }, async (t) => {
  if (!requirePeer(t, chromiumPath, 'apt-get install chromium')) return
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-page-'))
  const file = join(folder, 'page.html')
  writeFileSync(file, page)
  const browser = await Chromium.start()
  t.after(async () => {
    await browser.close()
    rmSync(folder, { recursive: true })
  })

  await t.test('every drawing is there and has its size, in light and dark, wide and narrow', async () => {
    const grounds = new Set<string>()
    for (const scheme of ['light', 'dark'] as const) {
      for (const width of [1280, 390]) {
        await browser.open(file, { width, height: 844, scheme })
        const seen = await browser.evaluate<Seen>(look)
        assert.ok(seen.drawings.length >= 2 * algorithms.length)
        for (const { width, height, overlaps, lanes } of seen.drawings) {
          assert.ok(width >= 700 && height > 100, `${width} x ${height}`)
          assert.ok(overlaps >= 1 && lanes === 4)
        }
        assert.ok(seen.pageWidth <= width, `the page is ${seen.pageWidth} wide on a screen of ${width}`)
        assert.equal(seen.filter, true)
        grounds.add(seen.ground)
        assert.ok(differentRows(await browser.screenshot()) > 20)
      }
    }
    assert.equal(grounds.size, 2)
  })

  await t.test('without scripts all is there but the filter', async () => {
    await browser.open(file, { width: 1280, height: 800, scheme: 'light' }, false)
    const { drawings, filter } = await browser.evaluate<Seen>(look)
    assert.ok(drawings.length >= 2 * algorithms.length && drawings.every(({ height }) => height > 100))
    assert.equal(filter, false)
  })

  await t.test('the filter hides the others', async () => {
    await browser.open(file, { width: 1280, height: 800, scheme: 'light' })
    const shown = await browser.evaluate<string[]>(filter)
    assert.deepEqual([...new Set(shown)], ['forgetful'])
  })

  await t.test('it asked for nothing else, and complained about nothing', () => {
    assert.deepEqual([...new Set(browser.requests.map((url) => url.split(':')[0]))], ['file'])
    assert.equal(new Set(browser.requests).size, 1)
    assert.deepEqual(browser.complaints, [])
  })
})

interface Seen {
  readonly drawings: { width: number; height: number; overlaps: number; lanes: number }[]
  readonly pageWidth: number
  readonly ground: string
  readonly filter: boolean
}

const look = `({
  drawings: [...document.querySelectorAll('svg.timeline')].map((svg) => {
    const { width, height } = svg.getBoundingClientRect()
    const visible = (each) => each.checkVisibility() && each.getBoundingClientRect().width > 0
    const overlaps = [...svg.querySelectorAll('rect.overlap')].filter(visible).length
    return { width, height, overlaps, lanes: [...svg.querySelectorAll('g.lane')].filter(visible).length }
  }),
  pageWidth: document.documentElement.scrollWidth,
  ground: getComputedStyle(document.body).backgroundColor,
  filter: document.querySelector('#filter')?.checkVisibility() ?? false,
})`

const filter = `
  const input = document.querySelector('#filter')
  input.value = 'forg'
  input.dispatchEvent(new Event('input'))
  ;[...document.querySelectorAll('[data-algorithm]')].filter((each) => each.checkVisibility()).map((each) => each.dataset.algorithm)`

/** How many different rows of bytes a PNG of eight-bit channels has: one or two when it is empty. */
function differentRows(png: Buffer): number {
  const data: Buffer[] = []
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)))
  }
  const pixels = inflateSync(Buffer.concat(data))
  const height = png.readUInt32BE(20)
  const row = pixels.length / height
  return new Set(Array.from({ length: height }, (_, i) => pixels.toString('latin1', i * row, (i + 1) * row))).size
}
