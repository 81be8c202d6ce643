/** One run: a server behind a proxy, a client, faults; then peace, and what the server says about it all. */
import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient } from 'latchkey/client'
import { FaultProxy } from 'latchkey/torture'
import { Random } from '../../fuzz/random.js'
import { Wire } from '../../support/wire.js'
import { isPossible } from './history.js'
import { Recorder } from './recorder.js'
import { drawScenario, type Scenario } from './scenario.js'
import { valueKeys, Workload } from './workload.js'

export interface Target {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly hasMeta: boolean
}

export interface Outcome {
  readonly scenario: string
  readonly answered: number
  /** What was wrong; empty when all is well. */
  readonly failures: readonly string[]
  readonly journal: string
}

const reconnectMaxMs = 40
const slackMs = 10_000
/** Two connections: what works once may fail on the other one. */
const successesInARow = 3

export async function playRun(target: Target, seed: number): Promise<Outcome> {
  const random = new Random(seed)
  const scenario = drawScenario(random)
  const prefix = `${seed}:`
  const recorder = new Recorder(scenario, target.hasMeta)
  const clean = await Wire.open(target)
  await clean.send(`set ${prefix}counter 0 0 1\r\n0\r\nset ${prefix}log 0 0 0\r\n\r\n`)
  await clean.expect('STORED\r\nSTORED\r\n')
  const proxy = await FaultProxy.start(target)
  proxy.plan = scenario.plan
  const { deadlineMs, stallMs } = drawPatience(random, scenario)
  const client = createClient({
    servers: `${proxy.host}:${proxy.port}`,
    deadlineMs,
    stallMs,
    keyPrefix: prefix,
    reconnect: { minMs: 5, maxMs: reconnectMaxMs },
    connections: random.chance(25) ? 2 : 1,
    whenDown: random.chance(30) ? 'wait' : 'fail',
  })
  const { garbled, digitsLost } = scenario
  const workload = new Workload({ client, recorder, random, prefix, deadlineMs, garbled, digitsLost })
  const wrong: string[] = []
  const examine = async (what: () => void | Promise<void>) => {
    try {
      await what()
    } catch (error) {
      wrong.push(error instanceof Error ? error.message : String(error))
    }
  }
  try {
    await Promise.all([workload.run(), scenario.blows(proxy)])
    await proxy.heal()
    await examine(() => worksAgain(client, deadlineMs + stallMs + reconnectMaxMs + slackMs))
    const items = await readAll(clean, prefix, [...valueKeys, 'counter', 'log', 'updated'])
    await examine(() => checkItems(items, workload, recorder))
  } finally {
    await examine(() => closes(client, deadlineMs + slackMs))
    clean.close()
    await proxy.stop()
  }
  const { answered } = recorder
  return {
    scenario: scenario.name,
    answered,
    failures: [...recorder.failures, ...wrong],
    journal: recorder.journal(),
  }
}

function drawPatience(random: Random, { harmless }: Scenario): { deadlineMs: number; stallMs: number } {
  const drawn = { deadlineMs: 30 + random.below(100), stallMs: 60 + random.below(60) }
  return harmless ? { deadlineMs: 20_000, stallMs: 20_000 } : drawn
}

/** With the faults over, the client soon works as if nothing had been. */
async function worksAgain(client: Client<string>, withinMs: number): Promise<void> {
  const giveUpAt = performance.now() + withinMs
  const errors: unknown[] = []
  for (let inARow = 0; inARow < successesInARow; ) {
    const lately = () => `the client does not work again after ${withinMs} ms: ${errors.slice(-5).join(', ')}`
    assert.ok(performance.now() < giveUpAt, lately())
    try {
      await client.set('again', 'and again')
      assert.equal(await client.get('again'), 'and again', 'what was just set is not there')
      inARow++
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
      errors.push(error)
      inARow = 0
      await sleep(2)
    }
  }
}

async function closes(client: Client<string>, withinMs: number): Promise<void> {
  const from = performance.now()
  await client.close()
  const tookMs = performance.now() - from
  assert.ok(tookMs < withinMs, `close took ${tookMs} ms`)
}

interface Item {
  value: string
  cas: bigint
}

async function readAll(wire: Wire, prefix: string, keys: readonly string[]): Promise<Map<string, Item>> {
  await wire.send(`gets ${keys.map((key) => prefix + key).join(' ')}\r\n`)
  const items = new Map<string, Item>()
  for (;;) {
    const line = (await wire.takeLine()).toString('latin1')
    if (line === 'END\r\n') return items
    const [, key, , length, cas] = line.split(' ')
    const data = await wire.take(Number(length) + 2)
    items.set(key.slice(prefix.length), { value: data.subarray(0, -2).toString(), cas: BigInt(cas) })
  }
}

function checkItems(items: Map<string, Item>, workload: Workload, recorder: Recorder): void {
  for (const key of valueKeys) {
    const item = items.get(key)
    if (item !== undefined) {
      workload.checkOwn(key, item.value)
      workload.checkToken(key, item.cas, item.value)
    }
    const start = recorder.tick()
    recorder.keep(key, { kind: 'get', start, end: recorder.tick(), outcome: 'done', value: item?.value })
    const history = recorder.operations.get(key)!
    assert.ok(isPossible(history), `what was told of ${key} cannot be; it holds ${item?.value.slice(0, 60)}`)
  }
  workload.checkLog(items.get('log')!.value, workload.appends.done)
  checkTally('counter', workload.counter, items)
  checkTally('updated', workload.updates, items)
}

function checkTally(key: string, { done, unknown, results }: Workload['counter'], items: Map<string, Item>): void {
  const total = Number(items.get(key)?.value ?? 0)
  assert.ok(done <= total && total <= done + unknown, `${key} is ${total}: ${done} done, ${unknown} unknown`)
  assert.equal(new Set(results).size, results.length, `${key}: the same result twice: ${results}`)
  for (const result of results) assert.ok(0n < result && result <= BigInt(total), `${key} is ${total}, was ${result}`)
}
