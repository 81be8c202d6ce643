/**
 * The client behind a proxy that delays, cuts, garbles and swallows. Every answer must be true, every failure one of the
 * documented errors and in time; and when the faults are over, the same client works again.
 *
 * A run that fails prints its seed: LATCHKEY_FAULT_SEED=<that> LATCHKEY_FAULT_RUNS=1 plays it again, and tells what
 * happened in it.
 */
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { type ClassicServer, startClassicServer } from '../support/classic-server.js'
import { requirePeer } from '../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../support/process.js'
import { type Outcome, playRun, type Target } from './faults/run.js'
import { scenarioNames } from './faults/scenario.js'

const firstSeed = Number(process.env.LATCHKEY_FAULT_SEED ?? 20_260_601)
const runs = Number(process.env.LATCHKEY_FAULT_RUNS ?? (process.env.LATCHKEY_SOAK === '1' ? 30_000 : 2100))
const atATime = 24
/** More would only be the same again. */
const failuresShown = 3

let latchkey: ServerProcess
let memcached: ServerProcess | undefined
let classic: ClassicServer

before(async () => {
  latchkey = await startLatchkey({ threads: 2 })
  classic = await startClassicServer()
})

after(async () => {
  await latchkey.stop()
  await memcached?.stop()
  await classic.stop()
})

/** A third of the runs each. */
async function play(t: TestContext, target: Target, share: number): Promise<void> {
  const seeds = Array.from({ length: runs }, (_, run) => firstSeed + run).filter((seed) => seed % 3 === share)
  const seen = new Map<string, number>()
  const failed: string[] = []
  let answered = 0
  const player = async () => {
    for (let seed = seeds.shift(); seed !== undefined && failed.length < failuresShown; seed = seeds.shift()) {
      const outcome = await playRun(target, seed)
      answered += outcome.answered
      seen.set(outcome.scenario, (seen.get(outcome.scenario) ?? 0) + 1)
      if (outcome.failures.length > 0) failed.push(described(seed, outcome))
    }
  }
  const played = seeds.length
  await Promise.all(Array.from({ length: atATime }, player))
  t.diagnostic(`LATCHKEY_FAULT_SEED=${firstSeed} LATCHKEY_FAULT_RUNS=${runs}: ${played} runs, ${answered} answers`)
  if (failed.length > 0) assert.fail(failed.join('\n\n'))
  if (played >= 500) assert.deepEqual([...seen.keys()].sort(), [...scenarioNames].sort(), 'some faults never came')
}

function described(seed: number, { scenario, failures, journal }: Outcome): string {
  const replay = `LATCHKEY_FAULT_SEED=${seed} LATCHKEY_FAULT_RUNS=1`
  const shown = failures.slice(0, 5).join('\n  ')
  return `${replay} (${scenario}):\n  ${shown}${runs === 1 ? `\n${journal}` : ''}`
}

test('Latchkey behind faults', (t) => play(t, { ...pick(latchkey), hasMeta: true }, 0))

test('memcached behind faults', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  memcached = await startMemcached()
  await play(t, { ...pick(memcached), hasMeta: true }, 1)
})

test('a server without meta commands behind faults', (t) =>
  play(t, { name: 'the classic double', host: classic.host, port: classic.port, hasMeta: false }, 2))

function pick({ name, host, port }: ServerProcess): Omit<Target, 'hasMeta'> {
  return { name, host, port }
}
