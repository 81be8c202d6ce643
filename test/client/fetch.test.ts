/** fetch and update where others stand in between: placeholders, failing and dying winners, slow changes. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient, DeadlineExceededError, json, ServerError } from 'latchkey/client'
import { requirePeer } from '../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../support/process.js'

const kinds = [
  { name: 'latchkey', path: process.execPath, start: () => startLatchkey({ threads: 2 }) },
  { name: 'memcached', path: '/usr/bin/memcached', start: () => startMemcached() },
]

for (const { name, path, start } of kinds) {
  let server: ServerProcess | undefined
  let cache: Client<string>
  const here = (what: string, run: () => Promise<void>) =>
    test(`${name}: ${what}`, async (t) => {
      if (requirePeer(t, path, 'apt install memcached')) await run()
    })

  before(async () => {
    server = await start().catch(() => undefined)
    cache = createClient({ servers: `127.0.0.1:${server?.port ?? 1}`, deadlineMs: 3000 })
  })
  after(async () => {
    await cache.close()
    await server?.stop()
  })

  here('a value that is being computed is a miss for everybody else', async () => {
    const texts = cache.with({ codec: json<string>() })
    let finish!: (value: string) => void
    const computed = texts.fetch('held', '10s', () => new Promise<string>((resolve) => (finish = resolve)))
    while (finish === undefined) await sleep(1)
    assert.equal(await texts.get('held'), undefined)
    assert.equal(await texts.gets('held'), undefined)
    assert.deepEqual(await texts.getMany(['held']), new Map())
    assert.equal(await texts.add('held', 'mine'), false)
    // An update knows better than the computation that was under way.
    assert.equal(await texts.update('held', (value) => `${value} and more`), 'undefined and more')
    finish('computed')
    assert.equal(await computed, 'computed')
    assert.equal(await texts.get('held'), 'undefined and more')
  })

  here('a computation that fails lets the next caller try, whoever reads in between', async () => {
    const failing = () => Promise.reject(new Error('no database'))
    await assert.rejects(cache.fetch('new', '10s', failing), /no database/)
    assert.equal(await cache.fetch('new', '10s', () => 'first'), 'first')
    await agedBySeconds('failing', 2)
    await assert.rejects(cache.fetch('failing', '1s', failing, { stale: '20s' }), /no database/)
    assert.equal(await cache.get('failing'), 'old')
    assert.equal(await cache.touch('failing', '15s'), true)
    assert.equal((await cache.getMany(['failing'])).size, 1)
    assert.equal(await cache.fetch('failing', '1s', () => 'fresh', { stale: '20s' }), 'fresh')
    assert.equal(await cache.get('failing'), 'fresh')
  })

  here('a winner that does not come back is replaced after the lease', async () => {
    await agedBySeconds('dead', 2)
    // Somebody wins, and dies.
    assert.ok((await cache.meta('mg', 'dead', ['v', 'R20'])).flags.includes('W'))
    let computations = 0
    const compute = () => `fresh ${++computations}`
    const seen = new Set<string>()
    for (let i = 0; i < 60 && computations === 0; i++) {
      seen.add(await cache.fetch('dead', '1s', compute, { stale: '20s', lease: '500ms' }))
      await sleep(50)
    }
    assert.deepEqual([...seen], ['old', 'fresh 1'])
    assert.equal(computations, 1)
  })

  here('callers share one computation, across views, and each has its own patience', async () => {
    let computations = 0
    const compute = async () => {
      computations++
      await sleep(150)
      return 'shared'
    }
    const other = cache.with({ deadlineMs: 2000 })
    const calls = [
      cache.fetch('shared', '10s', compute),
      other.fetch('shared', '10s', compute),
      assert.rejects(cache.fetch('shared', '10s', compute, { deadlineMs: 30 }), DeadlineExceededError),
      assert.rejects(other.fetch('shared', '10s', compute, { signal: AbortSignal.timeout(30) }), {
        name: 'TimeoutError',
      }),
    ]
    assert.deepEqual((await Promise.all(calls)).slice(0, 2), ['shared', 'shared'])
    assert.equal(computations, 1)
    await assert.rejects(cache.fetch('shared', 'rubbish', compute), /not a span/)
  })

  here('an update is bounded by its deadline and its signal, also while it computes', async () => {
    await cache.set('slow', 'before')
    const never = () => new Promise<string>(() => {})
    const late = (error: unknown) => error instanceof DeadlineExceededError && !error.sent
    await assert.rejects(cache.update('slow', never, { deadlineMs: 50 }), late)
    await assert.rejects(
      cache.update('slow', () => sleep(120, 'too late'), { deadlineMs: 40 }),
      late,
    )
    await assert.rejects(cache.update('slow', never, { signal: AbortSignal.timeout(30) }), { name: 'TimeoutError' })
    await assert.rejects(
      cache.update('slow', () => {
        throw new RangeError('mine')
      }),
      RangeError,
    )
    await sleep(150)
    assert.equal(await cache.get('slow'), 'before')
  })

  /** Stores `old` under the key by fetch with a second's life, and waits until that is over. */
  async function agedBySeconds(key: string, seconds: number): Promise<void> {
    await cache.delete(key)
    assert.equal(await cache.fetch(key, '1s', () => 'old', { stale: '20s' }), 'old')
    await sleep(seconds * 1000 + 100)
  }
}

test('a value that the cache refuses is still the value', async () => {
  const server = await startLatchkey({ threads: 1, args: ['-I', '1k'] })
  await using cache = createClient({ servers: `127.0.0.1:${server.port}` })
  const large = 'x'.repeat(5000)
  assert.equal(await cache.fetch('large', '10s', () => large), large)
  await assert.rejects(cache.set('large', large), ServerError)
  await server.stop()
})
