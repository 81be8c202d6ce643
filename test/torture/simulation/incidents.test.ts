/** Each incident does what it says: a tiny plan each. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hands } from '#dist/torture/algorithm.js'
import type { Incident } from '#dist/torture/plan.js'
import { observe, roundsOf } from './observe.js'

const KEY = 'guarded'

/** By the participant's own clock, from its first look at it. */
function watch({ now }: Hands): () => number {
  const first = now()
  return () => now() - first
}

test('pause: nothing of it runs, and then its timers do', async () => {
  const seen: number[] = []
  const incidents: Incident[] = [{ at: 50, what: 'pause', who: 0, ms: 1000 }]
  const { marks } = await observe(
    async (hands) => {
      const passed = watch(hands)
      await hands.sleep(20)
      seen.push(passed())
      await hands.sleep(100)
      seen.push(passed())
    },
    { incidents },
  )
  assert.ok(seen[0] < 25, `${seen}`)
  assert.ok(seen[1] >= 1045 && seen[1] < 1060, `${seen}`)
  assert.deepEqual(marks, [{ at: 50, what: 'pause', who: 0, ms: 1000 }])
})

test('stall: time passes within a step, and its code goes on before its timers', async () => {
  const log: string[] = []
  const incidents: Incident[] = [{ at: 12, what: 'stall', who: 0, ms: 1000 }]
  const { beliefs } = await observe(
    async (hands) => {
      const passed = watch(hands)
      await hands.sleep(8)
      const timer = hands.sleep(10).then(() => log.push('timer'))
      await hands.sleep(5)
      const until = hands.now() + 500
      const belief = hands.believes({ remainingMs: () => until - hands.now() })
      const reading = hands.resource.read()
      log.push(passed() > 1000 ? 'stalled' : 'not stalled')
      await Promise.resolve()
      log.push('code')
      await Promise.all([timer, reading])
      belief.end()
    },
    { incidents },
  )
  assert.deepEqual(log, ['stalled', 'code', 'timer'])
  // It ended while the event loop was blocked, and not when somebody looked.
  assert.ok(Math.abs(beliefs[0].to - beliefs[0].from - 500) <= 2, JSON.stringify(beliefs))
})

test('clock: the wall clock is set; suspend: timers sleep with the machine', async () => {
  const seen: number[] = []
  const incidents: Incident[] = [
    { at: 10, what: 'clock', who: 0, byMs: -3_600_000 },
    { at: 30, what: 'suspend', who: 0, ms: 5000 },
  ]
  await observe(
    async (hands) => {
      const passed = watch(hands)
      await hands.sleep(20)
      seen.push(passed())
      await hands.sleep(100)
      seen.push(passed())
    },
    { incidents },
  )
  assert.ok(Math.abs(seen[0] + 3_600_000 - 20) < 5, `${seen}`)
  assert.ok(Math.abs(seen[1] + 3_600_000 - 5120) < 8, `${seen}`)
})

test('crash: nothing of it runs any more, its belief ends, and its round is cut', async () => {
  const log: string[] = []
  const { beliefs, updates, final } = await observe(
    async (hands, { id }) => {
      hands.believes()
      await hands.sleep(100)
      log.push('alive')
      await hands.resource.write([id])
    },
    { incidents: [{ at: 50, what: 'crash', who: 0 }] },
  )
  assert.deepEqual(log, [])
  assert.deepEqual(final, [])
  assert.equal(beliefs[0].to, 50)
  assert.deepEqual(
    updates.map(({ outcome, to }) => [outcome, to]),
    [['cut', 50]],
  )
})

test('crash: a server notices that a waiter is gone', async () => {
  const got: number[] = []
  const { beliefs } = await observe(
    async (hands, task) => {
      await hands.sleep(100 * hands.who)
      const lock = await hands.locks.acquire(task.name, { ttl: 3000, wait: 20_000, renew: true })
      got.push(hands.who)
      hands.believes({ remainingMs: () => lock.remainingMs() })
      await hands.sleep(1000)
      await lock.release()
    },
    {
      algorithm: { home: 'latchkey', row: undefined as never },
      rounds: roundsOf(3),
      incidents: [{ at: 500, what: 'crash', who: 1 }],
    },
  )
  assert.deepEqual(got, [0, 2])
  assert.ok(beliefs[1].from < 1200, JSON.stringify(beliefs))
})

test('abort: the round’s signal aborts', async () => {
  const seen: number[] = []
  await observe(
    async (hands, { signal }) => {
      const passed = watch(hands)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      seen.push(passed())
      assert.match(signal.reason.message, /given up/)
    },
    { incidents: [{ at: 77, what: 'abort', who: 0 }] },
  )
  assert.ok(Math.abs(seen[0] - 77) < 3, `${seen}`)
})

test('lose: carried out, and the reply lost, with the connection or without a word', async () => {
  for (const cut of [true, false]) {
    const errors: string[] = []
    const { deeds } = await observe(
      async ({ cache }) => {
        await cache.get('other')
        await cache.add(KEY, 'mine', 100).catch((error) => errors.push(error.code))
        assert.equal(await cache.get(KEY), 'mine')
      },
      { incidents: [{ at: 0, what: 'lose', cut, who: 0, nth: 1 }] },
    )
    assert.deepEqual(errors, [cut ? 'CONNECTION_LOST' : 'DEADLINE_EXCEEDED'])
    assert.deepEqual(
      deeds.map(({ what, by, after }) => [what, by, after]),
      [['add', 0, 'mine']],
    )
  }
})

test('lose: who retries sends it again', async () => {
  const answers: unknown[] = []
  await observe(
    async ({ cache }) => {
      answers.push(await cache.add(KEY, 'mine', 100))
    },
    { fault: 'retry', incidents: [{ at: 0, what: 'lose', cut: true, who: 0, nth: 0 }] },
  )
  assert.deepEqual(answers, [false])
})

test('delay: on its way for so long, and what is behind it on that connection with it', async () => {
  const errors: string[] = []
  const { deeds } = await observe(
    async (hands) => {
      const { cache } = hands
      await cache.add(KEY, 'mine', 100).catch((error) => errors.push(error.code))
      await hands.sleep(5000)
    },
    { incidents: [{ at: 0, what: 'delay', ms: 3000, who: 0, nth: 0 }] },
  )
  assert.deepEqual(errors, ['DEADLINE_EXCEEDED'])
  assert.ok(deeds[0].at >= 3000 && deeds[0].at < 3010)
})

test('blip: what is connected is cut, nobody connects, and then everything is as before', async () => {
  const errors: string[] = []
  await observe(
    async (hands) => {
      const { cache } = hands
      await cache.get(KEY)
      await hands.sleep(100)
      for (let i = 0; i < 3; i++) await cache.get(KEY).catch((error) => errors.push(error.code))
      await hands.sleep(4000)
      assert.equal(await cache.add(KEY, 'mine', 100), true)
    },
    { incidents: [{ at: 50, what: 'blip', who: 0, server: 0, ms: 1000 }] },
  )
  assert.deepEqual(errors, Array(3).fill('SERVER_UNAVAILABLE'))
})

test('blip: the keys of a rehashing client move to the next server, and its errors are misses', async () => {
  const { deeds, final } = await observe(
    async (hands, { id }) => {
      assert.equal(await hands.cache.add(KEY, 'held', 100), hands.who === 0)
      await hands.sleep(200)
      const added = await hands.cache.add(KEY, 'held', 100)
      if (added) await hands.resource.write([id])
    },
    {
      algorithm: { servers: 2, habits: { dead: 'next server', errors: 'as a miss' } },
      rounds: [[{ afterMs: 0, workMs: 0 }], [{ afterMs: 20, workMs: 0 }]],
      incidents: [0, 1].map((server) => ({ at: 100, what: 'blip', who: 1, server, ms: server === 0 ? 500 : 0 })),
    },
  )
  const adders = deeds.filter(({ what }) => what === 'add').map(({ by }) => by)
  // Whether the first server has the key is a matter of its name: then the other one gets it too.
  assert.deepEqual(adders, final.length === 0 ? [0] : [0, 1])
})

test('partition: bytes of one direction are lost, and nobody is told', async () => {
  for (const lost of ['requests', 'replies'] as const) {
    const errors: string[] = []
    const { deeds } = await observe(
      async (hands) => {
        const { cache } = hands
        await cache.get(KEY)
        await hands.sleep(100)
        await cache.add(KEY, 'mine', 100).catch((error) => errors.push(error.code))
        await hands.sleep(8000)
        await cache.set(KEY, 'again', 100)
      },
      { incidents: [{ at: 50, what: 'partition', who: 0, server: 0, lost, ms: 3000 }] },
    )
    assert.deepEqual(errors, ['DEADLINE_EXCEEDED'])
    if (lost === 'replies') assert.ok(deeds[0].at < 200)
    else assert.ok(deeds[0].at >= 3000)
    assert.equal(deeds.at(-1)!.after, 'again')
  }
})

test('server-pause: it answers when it goes on; its clock has stood still', async () => {
  const errors: string[] = []
  const { deeds } = await observe(
    async (hands) => {
      const { cache } = hands
      await cache.add(KEY, 'mine', 2)
      await hands.sleep(100)
      await cache.set('other', 'x', 0).catch((error) => errors.push(error.code))
      await hands.sleep(10_000)
    },
    { incidents: [{ at: 50, what: 'server-pause', server: 0, ms: 5000 }] },
  )
  assert.deepEqual(errors, ['DEADLINE_EXCEEDED'])
  assert.equal(deeds[1].what, 'expire')
  assert.ok(deeds[1].at >= 5050 && deeds[1].at < 5060, JSON.stringify(deeds))
})

test('server-pause: what memcached stores when it goes on may count from before', async () => {
  const lives: number[] = []
  for (let seed = 1; seed <= 20; seed++) {
    const { deeds } = await observe(
      async (hands) => {
        const { cache } = hands
        await cache.get(KEY)
        await hands.sleep(4500)
        await cache.add(KEY, 'mine', 3)
        await hands.sleep(10_000)
      },
      { seed, incidents: [{ at: 50, what: 'server-pause', server: 0, ms: 5000 }] },
    )
    lives.push(deeds[1].at - deeds[0].at)
  }
  assert.ok(
    lives.some((ms) => ms < 1),
    `${lives}`,
  )
  assert.ok(
    lives.some((ms) => ms > 2000),
    `${lives}`,
  )
})

test('restart: who is connected is told, the server forgets, and its tokens begin anew', async () => {
  const tokens: bigint[] = []
  const errors: string[] = []
  const { deeds } = await observe(
    async (hands) => {
      const { cache } = hands
      await cache.add(KEY, 'mine', 100)
      tokens.push((await cache.gets(KEY))!.cas)
      await hands.sleep(150)
      await cache.get(KEY).catch((error) => errors.push(error.code))
      await hands.sleep(3000)
      assert.equal(await cache.add(KEY, 'again', 100), true)
      tokens.push((await cache.gets(KEY))!.cas)
    },
    { incidents: [{ at: 100, what: 'restart', server: 0, downMs: 500 }] },
  )
  assert.deepEqual(errors, ['SERVER_UNAVAILABLE'])
  assert.deepEqual(tokens, [1n, 1n])
  assert.deepEqual(
    deeds.map(({ what }) => what),
    ['add', 'forget', 'add'],
  )
})

test('restart: Latchkey gives no lock until the leases of before are over, and its tokens rise', async () => {
  const fences: bigint[] = []
  const log: string[] = []
  await observe(
    async (hands, { name }) => {
      const acquire = () => hands.locks.acquire(name, { ttl: 3000, renew: false })
      fences.push((await acquire()).fence)
      await hands.sleep(2000)
      await acquire().catch((error) => log.push(error.message))
      await hands.sleep(20_000)
      fences.push((await acquire()).fence)
    },
    { algorithm: { home: 'latchkey' }, incidents: [{ at: 100, what: 'restart', server: 0, downMs: 0 }] },
  )
  assert.match(log[0], /lock grace: \d+ ms/)
  assert.ok(fences[1] > fences[0])
})

test('flush, evict, full: on memcached they hit the lock', async () => {
  for (const what of ['flush', 'evict'] as const) {
    const { deeds } = await observe(
      async (hands) => {
        await hands.cache.add(KEY, 'mine', 100)
        await hands.sleep(100)
        assert.equal(await hands.cache.get(KEY), undefined)
      },
      { incidents: [{ at: 50, what, server: 0 }] },
    )
    assert.deepEqual(
      deeds.map((deed) => deed.what),
      ['add', what],
    )
  }
  const errors: string[] = []
  await observe(
    async (hands) => {
      await hands.sleep(100)
      await hands.cache.add(KEY, 'mine', 100).catch((error) => errors.push(error.message))
      await hands.sleep(1000)
      assert.equal(await hands.cache.add(KEY, 'mine', 100), true)
    },
    { incidents: [{ at: 50, what: 'full', server: 0, ms: 500 }] },
  )
  assert.deepEqual(errors, ['out of memory storing object'])
})

test('flush, evict, full: Latchkey keeps its locks', async () => {
  const incidents: Incident[] = [
    { at: 50, what: 'flush', server: 0 },
    { at: 60, what: 'evict', server: 0 },
    { at: 70, what: 'full', server: 0, ms: 500 },
  ]
  const { deeds } = await observe(
    async (hands, { name }) => {
      const lock = await hands.locks.acquire(name, { ttl: 3000, renew: false })
      await hands.sleep(300)
      await assert.rejects(hands.locks.acquire('other', { ttl: 3000 }), /out of memory/)
      assert.equal(await lock.release(), 'released')
    },
    { algorithm: { home: 'latchkey', name: 'keeps' }, incidents },
  )
  assert.deepEqual(
    deeds.map(({ what }) => what),
    [],
  )
})

test('foreign: somebody sets, touches or deletes the lock', async () => {
  for (const [how, what] of [
    ['set', 'change'],
    ['touch', 'change'],
    ['delete', 'delete'],
  ] as const) {
    const { deeds } = await observe(
      async (hands) => {
        await hands.cache.add(KEY, 'mine', 100)
        await hands.sleep(100)
      },
      { incidents: [{ at: 50, what: 'foreign', how }] },
    )
    const foreign = deeds[1]
    assert.equal(foreign.what, what)
    assert.equal(foreign.by, undefined)
    assert.equal(foreign.after, { set: 'something else', touch: 'mine', delete: undefined }[how])
  }
})

test('lists: participants have their servers in different orders', async () => {
  const { deeds } = await observe(
    async (hands) => {
      assert.equal(await hands.cache.add(KEY, 'mine', 100), true)
    },
    { fault: 'lists', rounds: roundsOf(3), algorithm: { servers: 3 } },
  )
  assert.deepEqual(deeds.map(({ by }) => by).sort(), [0, 1, 2])
})

test('boundary: the ticks of memcached are whole seconds of the run', async () => {
  const { deeds } = await observe(
    async (hands) => {
      await hands.sleep(900)
      await hands.cache.add(KEY, 'mine', 1)
      await hands.sleep(3000)
    },
    { fault: 'boundary' },
  )
  assert.deepEqual(
    deeds.map(({ what }) => what),
    ['add', 'expire'],
  )
  assert.ok(deeds[1].at - deeds[0].at < 110, JSON.stringify(deeds))
})
