/** `npm run bench`: runs the parts asked for, one after the other, prints the table, and keeps the results. */
import { runChurnPart } from './churn/part.js'
import { runClientPart } from './client/part.js'
import { runIdlePart } from './idle/part.js'
import { runItemsPart } from './items/part.js'
import { runLocksPart } from './locks/part.js'
import { runMissPart } from './misses/part.js'
import { type BenchOptions, type PartName, parseOptions, usage } from './options.js'
import { runQuorumPart } from './quorum/part.js'
import { targetTable, writeTables } from './report/markdown.js'
import { type Measured, type Results, readResults, writeResults } from './report/results.js'
import { runServerPart } from './server/part.js'
import { runStampedePart } from './stampede/part.js'
import { runStorePart } from './store/part.js'
import { describeMachine } from './support/machine.js'
import { calibration, contest } from './support/servers.js'

const log = (line: string) => console.log(`${(performance.now() / 1000).toFixed(0).padStart(5)} s  ${line}`)

async function run(part: PartName, options: BenchOptions): Promise<Results> {
  const { quick, threads } = options
  const contestants = options.calibrate ? calibration : contest(options.main)
  const stamp = <T>(data: T): Measured<T> => ({
    measuredAt: new Date().toISOString().slice(0, 16),
    quick,
    machine: describeMachine(),
    data,
  })
  switch (part) {
    case 'server': {
      const server = stamp(await runServerPart({ wire: 'text', quick, threads, contestants, log }))
      return options.calibrate ? { calibration: server } : { server }
    }
    case 'binary':
      return { binary: stamp(await runServerPart({ wire: 'binary', quick, threads, contestants, log })) }
    case 'tls':
      return { tls: stamp(await runServerPart({ wire: 'tls', quick, threads, contestants, log })) }
    case 'idle':
      return { idle: stamp(await runIdlePart({ quick, contestants, log })) }
    case 'store':
      return { store: stamp(await runStorePart({ quick, log })) }
    case 'items':
      return { items: stamp(await runItemsPart({ contestants, log })) }
    case 'misses':
      return { misses: stamp(await runMissPart({ quick, contestants, log })) }
    case 'churn':
      return { churn: stamp(await runChurnPart({ quick, contestants, log })) }
    case 'client':
      return { client: stamp(await runClientPart({ quick, log })) }
    case 'stampede':
      return { stampede: stamp(await runStampedePart({ quick, contestants, log })) }
    case 'locks':
      return { locks: stamp(await runLocksPart({ quick, contestants, log })) }
    case 'quorum':
      return { quorum: stamp(await runQuorumPart({ quick, contestants, log })) }
  }
}

async function main(options: BenchOptions): Promise<void> {
  const fresh: Results = {}
  for (const part of options.parts) {
    log(`── ${part}${options.calibrate ? ', memcached against itself' : ''}`)
    const result = await run(part, options)
    Object.assign(fresh, result)
    // Saved part by part, so that a part which fails does not cost what the others have measured.
    if (options.save && (!options.calibrate || part === 'server')) save(result)
  }
  console.log(`\n${targetTable(fresh)}`)
}

function save(fresh: Results): void {
  const results = { ...readResults(), ...fresh }
  writeResults(results)
  writeTables(results)
}

function optionsOrExit(): BenchOptions {
  try {
    return parseOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}

await main(optionsOrExit())
