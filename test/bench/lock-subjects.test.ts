import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { contenders, type Home } from '../../bench/locks/contenders.js'
import { Crew } from '../../bench/locks/crew.js'
import { playRound } from '../../bench/locks/hand-over.js'
import type { Upkeep } from '../../bench/locks/worker.js'
import { seededRandom } from '../../bench/support/random.js'
import { builtMain, contest, type RunningServer, startRedis } from '../../bench/support/servers.js'
import type { Span } from '../../bench/support/span.js'
import { requirePeer } from '../support/peers.js'

const { latchkey, memcached } = contest(builtMain)
const options = { threads: 2, memoryMiB: 64 }

/** False when the test is skipped, undefined where there is no server. */
async function serverFor(t: TestContext, home: Home): Promise<RunningServer | undefined | false> {
  if (home === 'shared memory') return undefined
  if (home === 'latchkey') return latchkey(options)
  if (home === 'memcached') return requirePeer(t, '/usr/bin/memcached') && memcached(options)
  return requirePeer(t, '/usr/bin/redis-server', 'apt-get install redis-server') && startRedis({})
}

for (const contender of contenders) {
  test(`${contender.name}: another process waits until the lock is released`, async (t) => {
    const server = await serverFor(t, contender.home)
    if (server === false) return
    const crew = await Crew.open(contender, server, { ttlMs: 30_000 }, { size: 2, cores: [] })
    try {
      // `playRound` rejects when somebody had the lock before it was released.
      const [first, ...others] = await playRound(crew, 2, seededRandom(1))
      assert.deepEqual(others.map(({ waiter }) => waiter).sort(), [0, 1])
      for (const { askedAt, heldAt } of others) assert.ok(askedAt < first.freedAt && heldAt > first.freedAt)

      const span = await crew.one<Span>({ kind: 'loop', concurrency: 8, durationMs: 50 })
      assert.ok(span.operations >= 8, `${span.operations} operations`)

      await crew.one({ kind: 'hold', names: ['one', 'two'] })
      const { lost } = await crew.one<Upkeep>({ kind: 'keep', durationMs: 10 })
      assert.equal(lost, 0)
    } finally {
      crew.stop()
      await server?.stop()
    }
  })
}

test('without redis-server, the benchmark says how to get it', async () => {
  const path = process.env.PATH
  process.env.PATH = '/nowhere'
  try {
    await assert.rejects(startRedis({}), /apt-get install redis-server/)
  } finally {
    process.env.PATH = path
  }
})
