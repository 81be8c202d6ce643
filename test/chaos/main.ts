/** The long runs: `npm run chaos -- [--minutes 10] [--deaths 5000] [--seed n]`. Prints figures as docs/TORTURE.md has them. */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { chosenSeed } from '../support/seed.js'
import { playDeaths } from './deaths/run.js'
import { playServer } from './server/run.js'
import { deathsTable, serverTable } from './tables.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    deaths: { type: 'string', default: '5000' },
    seed: { type: 'string', default: String(chosenSeed()) },
  },
})
const minutes = amount('minutes', values.minutes)
const deaths = amount('deaths', values.deaths)
const seed = amount('seed', values.seed)

function amount(name: string, text: string): number {
  const number = Number(text)
  if (text.trim() !== '' && number >= 0 && Number.isFinite(number)) return number
  console.error(`--${name} is '${text}', and must be a number from 0 on`)
  process.exit(2)
}

/** Every now and then, on the side. */
function tell(what: string, of: number): (done: number) => void {
  let next = 0
  return (done) => {
    if (done < next) return
    next = done + of / 20
    console.error(`${what}: ${done} of ${of}`)
  }
}

const faults: string[] = []
const [cpu] = cpus()
console.log(
  `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} × ${cpu?.model}, seed ${seed}.\n`,
)
if (deaths > 0) {
  const figures = await playDeaths({ deaths, seed, progress: tell('deaths', deaths) })
  faults.push(...figures.faults)
  console.log(deathsTable(figures))
}
if (minutes > 0) {
  const seconds = minutes * 60
  const figures = await playServer({ seconds, seed, progress: tell('seconds', seconds) })
  faults.push(...figures.faults)
  console.log(serverTable(figures))
}
for (const fault of faults) console.error(fault)
process.exit(faults.length > 0 ? 1 : 0)
