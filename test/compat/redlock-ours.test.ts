/** Where `latchkey/compat/redlock` does what redlock does not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import Redlock, { ExecutionError, type Settings } from 'latchkey/compat/redlock'
import { createLocks, type LockDriver, LockUnavailableError, memcached, store } from 'latchkey/locks'
import { serve } from 'latchkey/server'
import { Store } from 'latchkey/store'

const once = { retryCount: 0 }

async function onStore(run: (driver: LockDriver, shared: Store) => Promise<void>): Promise<void> {
  const shared = new Store({ memory: '16mb' })
  try {
    await run(store(shared), shared)
  } finally {
    shared.close()
  }
}

const withRedlock = (settings: Partial<Settings>, run: (redlock: Redlock) => Promise<void>) =>
  onStore(async (driver) => {
    const redlock = new Redlock(driver, settings)
    await run(redlock)
    await redlock.quit()
  })

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

test('what the routine has to tell is not hidden by a lock that was lost', () =>
  onStore(async (driver, shared) => {
    const redlock = new Redlock([driver], once)
    const using = redlock.using(['k'], 20_000, async () => {
      shared.delete('latchkey:lock:k')
      throw new Error('the routine’s own')
    })
    await assert.rejects(using, /the routine’s own/)
    await redlock.quit()
  }))

test('a thread that was blocked past its lease finds the signal aborted before any timer has run', () =>
  withRedlock({ automaticExtensionThreshold: 50 }, async (redlock) => {
    const using = redlock.using(['k'], 200, async (signal) => {
      assert.equal(signal.aborted, false)
      block(250)
      if (signal.aborted) throw signal.error
      assert.fail('it believes in a lease that is over')
    })
    await assert.rejects(using, (error) => error instanceof ExecutionError && /lease is over/.test(error.message))
    const lock = await redlock.acquire(['k'], 100)
    block(150)
    assert.equal(lock.expiration, 0)
  }))

test('a lock that is over by its drift is not returned, and nothing of it is left', () =>
  withRedlock({ ...once, driftFactor: 0.999 }, async (redlock) => {
    await assert.rejects(redlock.acquire(['k'], 300), { name: 'ExecutionError', message: /drift/ })
    await (await redlock.acquire(['k'], 300, { driftFactor: 0.01 })).release()
  }))

test('a resource that is named twice counts once, and a lock that is released twice is released', () =>
  withRedlock(once, async (redlock) => {
    const lock = await redlock.acquire(['k', 'k'], 20_000)
    assert.deepEqual(lock.resources, ['k', 'k'])
    await lock.release()
    await lock.release()
  }))

test('who waits for ever without a pause lets others run', () =>
  withRedlock({ retryCount: -1, retryDelay: 0, retryJitter: 0 }, async (redlock) => {
    const lock = await redlock.acquire(['k'], 20_000)
    const waiting = redlock.acquire(['k'], 20_000)
    await sleep(20)
    await lock.release()
    await (await waiting).release()
  }))

test('attempts that are refused at once are as far apart as the settings say', async () => {
  const refused = new LockUnavailableError('k', 'it has just started', { retryAfterMs: 60_000 })
  await onStore(async (driver) => {
    const claim = () => Promise.reject(refused)
    const redlock = new Redlock(Object.assign(Object.create(driver), { claim, close: async () => {} }), {
      retryCount: 3,
      retryDelay: 50,
      retryJitter: 0,
    })
    const errors: unknown[] = []
    redlock.on('error', (error) => errors.push(error))
    const startedAt = performance.now()
    await assert.rejects(redlock.acquire(['k'], 20_000), { name: 'ExecutionError', cause: refused })
    assert.ok(performance.now() - startedAt >= 145)
    assert.deepEqual(errors, [refused, refused, refused, refused])
    await redlock.quit()
  })
})

test('what is lost for good is not tried again', () =>
  onStore(async (driver, shared) => {
    const redlock = new Redlock(driver, { retryCount: 5, retryDelay: 1 })
    const lock = await redlock.acquire(['k'], 20_000)
    shared.delete('latchkey:lock:k')
    const error = await lock.extend(20_000).catch((error) => error)
    assert.ok(error instanceof ExecutionError)
    assert.equal(error.attempts.length, 1)
    await redlock.quit()
  }))

test('quit ends what waits, and releases what is held', { timeout: 20_000 }, () =>
  onStore(async (driver, shared) => {
    const redlock = new Redlock([driver], { retryCount: -1 })
    await redlock.acquire(['k'], 20_000)
    const waiting = redlock.acquire(['k'], 20_000)
    waiting.catch(() => {})
    await sleep(20)
    await redlock.quit()
    await assert.rejects(waiting, ExecutionError)
    await assert.rejects(redlock.acquire(['other'], 20_000), { message: /closed/ })
    assert.equal(shared.get('latchkey:lock:k'), undefined)
  }),
)

test('locks with options of their own, and the fences of what is held', () =>
  onStore(async (driver, shared) => {
    const redlock = new Redlock([createLocks(driver, { prefix: 'own:' })], once)
    const first = await redlock.acquire(['b', 'a'], 20_000)
    assert.ok(shared.get('own:a'))
    assert.equal(first.value, first.group.locks[0].owner)
    await first.release()
    const second = await redlock.acquire(['b'], 20_000)
    assert.ok(second.group.fences.get('b')! > first.group.fences.get('b')!)
    await redlock.quit()
  }))

test('three independent servers, one of which stops', async () => {
  const servers = await Promise.all([1, 2, 3].map(() => serve({ port: 0, threads: 1, memory: '16mb' })))
  const drivers = servers.map(({ port }) => memcached({ servers: `127.0.0.1:${port}`, freshServers: 'trust' }))
  const redlock = new Redlock(drivers)
  try {
    let lock = await redlock.acquire(['k'], 20_000)
    await servers[1].close()
    lock = await lock.extend(20_000)
    await assert.rejects(redlock.acquire(['k'], 20_000, once), ExecutionError)
    await lock.release()
    await (await redlock.acquire(['k'], 20_000)).release()
  } finally {
    await redlock.quit()
    await Promise.all(servers.map((server) => server.close()))
  }
})

test('scripts, clients that are no drivers, and settings that are none are refused', () =>
  onStore(async (driver) => {
    const refuse = (make: () => unknown, message: RegExp) => assert.throws(make, { name: 'LockArgumentError', message })
    const make = (clients: unknown, settings?: unknown, scripts?: unknown) => () =>
      new Redlock(clients as never, settings as never, scripts as never)
    refuse(make([driver], {}, { acquireScript: 'return 1' }), /scripts/)
    refuse(make([new Redis({ lazyConnect: true })]), /takes lock drivers/)
    refuse(make(undefined), /takes lock drivers/)
    refuse(make([driver, store(new Store({ memory: '16mb' }))]), /3, 5 or 7/)
    refuse(make([createLocks(driver), driver, driver]), /cannot be joined/)
    for (const settings of [null, 5, { retryCount: -2 }, { retryCount: 1.5 }, { retryDelay: -1 }, { x: 1 }]) {
      refuse(make([driver], settings), /setting|retry/)
    }
    const redlock = new Redlock(new Set([driver]), { retryCount: undefined } as never, {})
    assert.equal(redlock.settings.retryCount, 10)
    await assert.rejects(redlock.acquire([], 1000), { name: 'LockArgumentError' })
    await assert.rejects(redlock.acquire(['a b'], 1000), { name: 'LockArgumentError' })
    await assert.rejects(redlock.release({} as never), { name: 'LockArgumentError' })
    await redlock.quit()
  }))
