/** `npm run scale -- [--seed n] [--no-save] [section…]`: simulates, prints the tables, and writes them to docs/SCALE.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { projectRoot } from '../support/root.js'
import { sections } from './sections.js'
import { tableText } from './tables.js'

const names = Object.keys(sections) as (keyof typeof sections)[]
const file = join(projectRoot, 'docs/SCALE.md')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' }, 'no-save': { type: 'boolean', default: false } },
})
const seed = Number(values.seed)
const unknown = positionals.find((name) => !(names as string[]).includes(name))
if (unknown !== undefined || !Number.isSafeInteger(seed)) {
  console.error(`npm run scale -- [--seed n] [--no-save] [${names.join(' | ')}]…`)
  process.exit(2)
}
for (const name of names.filter((each) => positionals.length === 0 || positionals.includes(each))) {
  const startedAt = process.cpuUsage()
  const text = tableText(await sections[name](seed, (line) => console.error(line)))
  const { user, system } = process.cpuUsage(startedAt)
  console.error(`${name}: ${Math.round((user + system) / 1e6)} s of a processor`)
  console.log(`${text}\n`)
  if (!values['no-save']) save(name, text)
}

/** Between the section's two markers; the rest is left alone. */
function save(name: string, text: string): void {
  const page = readFileSync(file, 'utf8')
  const begin = `<!-- ${name}: written by npm run scale -->\n`
  const end = `<!-- ${name}: end -->`
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file} has lost its markers of ${name}`)
  writeFileSync(file, `${page.slice(0, from + begin.length)}\n${text}\n\n${page.slice(to)}`)
}
