/** Ten processes at once on one key, and all of them between one step and the next when the others come. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { FaultProxy } from 'latchkey/torture'
import { requirePeer } from '../../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../../support/process.js'
import { RedisServer, requireRedis } from '../../support/redis.js'
import type { Way } from './contender.js'
import { type Contender, withContenders } from './contenders.js'

const TEN = 10
const ROUNDS = 15
/** All ten in turn, in each round. */
const QUEUE_ROUNDS = 3

const hasMemcached = (t: TestContext) => requirePeer(t, '/usr/bin/memcached', 'apt install memcached')

/** Nobody goes on before all ten have looked. Then each goes on alone, to the end of what it does. */
async function holdersAmong(contenders: readonly Contender[], key: string): Promise<number> {
  for (const contender of contenders) contender.order({ do: 'acquire', key })
  for (const contender of contenders) assert.equal((await contender.next('at')).step, 'looked')
  let holders = 0
  for (const contender of contenders) {
    contender.order({ do: 'go' })
    if ((await contender.next('held', 'busy')).is === 'held') holders++
  }
  return holders
}

for (const way of ['getThenSet', 'readBack'] as Way[]) {
  test(`the recipe ${way}: ten processes hold one lock`, async (t) => {
    if (!hasMemcached(t)) return
    const server = await startMemcached()
    try {
      await withContenders(way, Array(TEN).fill(`127.0.0.1:${server.port}`), async (contenders) => {
        assert.equal(await holdersAmong(contenders, 'cron'), TEN)
      })
    } finally {
      await server.stop()
    }
  })
}

type Server = Pick<ServerProcess, 'host' | 'port'> & { stop(): Promise<unknown> }

/** With the scheme of their addresses. */
const kinds: [name: string, scheme: string, start: (t: TestContext) => Promise<Server | undefined>][] = [
  ['Latchkey', '', () => startLatchkey({ threads: 2 })],
  ['memcached', '', async (t) => (hasMemcached(t) ? startMemcached() : undefined)],
  ['Redis', 'redis://', async (t) => (requireRedis(t) ? RedisServer.start() : undefined)],
]

/** Ten processes with a gate each before the server, and replies that take a little longer for one than for the next. */
async function withGates(
  server: Server,
  scheme: string,
  run: (contenders: readonly Contender[], gates: readonly FaultProxy[]) => Promise<void>,
): Promise<void> {
  const gates = await Promise.all(Array.from({ length: TEN }, () => FaultProxy.start(server)))
  gates.forEach((gate, i) => {
    gate.plan = () => ({ replies: { delayMs: i } })
  })
  try {
    await withContenders(
      'latchkey',
      gates.map(({ host, port }) => `${scheme}${host}:${port}`),
      (contenders) => run(contenders, gates),
    )
  } finally {
    await Promise.all(gates.map((gate) => gate.stop()))
    await server.stop()
  }
}

for (const [name, scheme, start] of kinds) {
  test(`ours on ${name}: of ten that come at once, one holds`, async (t) => {
    const server = await start(t)
    if (server === undefined) return
    await withGates(server, scheme, async (contenders, gates) => {
      let fence = 0n
      for (let round = 0; round < ROUNDS; round++) {
        for (const gate of gates) gate.hang()
        for (const contender of contenders) contender.order({ do: 'acquire', key: 'cron' })
        // All have asked by then; should one not have, it comes a little later than the others.
        await sleep(30)
        for (const gate of gates) gate.resume()
        const answers = await Promise.all(contenders.map((contender) => contender.next('held', 'busy')))
        const holders = contenders.filter((_, i) => answers[i].is === 'held')
        assert.equal(holders.length, 1, `round ${round}`)
        const held = answers.find((answer) => answer.is === 'held')!
        assert.ok(BigInt(held.fence) > fence, 'fences rise')
        fence = BigInt(held.fence)
        holders[0].order({ do: 'release' })
        await holders[0].next('released')
      }
    })
  })

  test(`ours on ${name}: ten that wait have it one after the other`, async (t) => {
    const server = await start(t)
    if (server === undefined) return
    await withGates(server, scheme, async (contenders) => {
      let inside = 0
      let fence = 0n
      const takeTurns = async (contender: Contender) => {
        for (let round = 0; round < QUEUE_ROUNDS; round++) {
          contender.order({ do: 'acquire', key: 'cron', wait: '60s' })
          const held = await contender.next('held')
          assert.equal(++inside, 1, 'two hold it')
          assert.ok(BigInt(held.fence) > fence, 'fences rise')
          fence = BigInt(held.fence)
          // Time for a second holder to tell.
          await sleep(5)
          inside--
          contender.order({ do: 'release' })
          await contender.next('released')
        }
      }
      await Promise.all(contenders.map(takeTurns))
    })
  })
}
