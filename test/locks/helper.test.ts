/** Rule 13 with a helper thread: real threads, real time, a blocked event loop. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLocks, LockArgumentError, LockLostError } from 'latchkey/locks'
import { model } from './support/model.js'
import { newSharedLock, SharedDriver } from './support/shared-driver.js'

const TTL_MS = 1000

function start() {
  const driver = new SharedDriver(newSharedLock())
  return { driver, locks: createLocks(driver) }
}

/** No timer of this thread runs meanwhile. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5)
}

test('a blocked event loop loses a lock that its own thread renews', async () => {
  const { locks } = start()
  const lock = await locks.acquire('a', { ttl: TTL_MS })
  block(2 * TTL_MS)
  assert.throws(() => lock.assertHeld(), LockLostError)
  await locks.close()
})

test('a blocked event loop does not lose a lock that the helper thread renews', async () => {
  const { driver, locks } = start()
  const lock = await locks.acquire('a', { ttl: TTL_MS, renew: 'thread' })
  block(4 * TTL_MS)
  lock.assertHeld(1)
  assert.equal(lock.state, 'held')
  assert.ok(driver.helped >= 4, `${driver.helped} renewals`)
  assert.equal(await locks.tryAcquire('a'), undefined)
  assert.equal(await lock.release(), 'released')
  assert.notEqual(await locks.tryAcquire('a'), undefined)
  await locks.close()
})

test('a thread that is stuck for longer than maxStall loses its lock', async () => {
  const { driver, locks } = start()
  const lock = await locks.acquire('a', { ttl: TTL_MS, renew: 'thread', maxStall: TTL_MS })
  await until(() => driver.helped > 0)
  block(5 * TTL_MS)
  assert.throws(() => lock.assertHeld(), LockLostError)
  assert.equal(lock.signal.aborted, true)
  assert.equal(await lock.release(), 'lost')
  await locks.close()
})

test('maxHold ends the renewing of the helper thread', async () => {
  const { locks } = start()
  const lock = await locks.acquire('a', { ttl: TTL_MS, renew: 'thread', maxHold: 2 * TTL_MS })
  await until(() => lock.signal.aborted)
  assert.equal(lock.state, 'lost')
  await locks.close()
})

test('the signal fires when the helper thread finds that the lock was taken away', async () => {
  const { driver, locks } = start()
  const lock = await locks.acquire('a', { ttl: TTL_MS, renew: 'thread' })
  await until(() => driver.helped > 0)
  assert.equal(await locks.forceRelease('a'), true)
  // The lease could be believed for longer than that: nobody waits for its end.
  await until(() => lock.signal.aborted)
  assert.match(lock.signal.reason.message, /the server has it no more/)
  await locks.close()
})

test('what the helper thread learns while this one is blocked is seen at once', async () => {
  const { driver, locks } = start()
  const lock = await locks.acquire('a', { ttl: 3 * TTL_MS, renew: 'thread' })
  await until(() => driver.helped > 0)
  await locks.forceRelease('a')
  // The next renewal comes after one second, the end of the lease after three.
  block(2 * TTL_MS)
  assert.throws(() => lock.assertHeld(), LockLostError)
  await locks.close()
})

test('extend and release go through the helper thread', async () => {
  const { driver, locks } = start()
  const lock = await locks.acquire('a', { ttl: TTL_MS, renew: 'thread' })
  await lock.extend('1m')
  assert.equal(driver.helped, 1)
  assert.ok(lock.remainingMs() > 50_000)
  driver.away = true
  await assert.rejects(lock.extend('2m'), { code: 'LOCK_UNAVAILABLE' })
  assert.equal(lock.state, 'suspect')
  assert.equal(await lock.release(), 'released')
  assert.equal(await locks.inspect('a'), undefined)
  await locks.close()
})

test('when the helper thread dies, this thread goes on', async () => {
  const { driver, locks } = start()
  const lock = await locks.acquire('a', { ttl: TTL_MS, renew: 'thread' })
  await until(() => driver.helped > 0)
  const { helped } = driver
  driver.deadly = true
  await sleep(4 * TTL_MS)
  assert.equal(driver.helped, helped)
  assert.equal(lock.state, 'held')
  assert.equal(await lock.release(), 'released')
  // And a new one is started for the next.
  driver.deadly = false
  const next = await locks.acquire('a', { ttl: TTL_MS, renew: 'thread' })
  await until(() => driver.helped > helped)
  assert.equal(await next.release(), 'released')
  await locks.close()
})

test('a helper thread that dies over an extension leaves a lock that can be released', async () => {
  const { driver, locks } = start()
  const lock = await locks.acquire('a', { ttl: '1m', renew: 'thread' })
  driver.deadly = true
  await lock.extend()
  assert.equal(driver.helped, 0)
  assert.equal(await lock.release(), 'released')
  assert.equal(await locks.inspect('a'), undefined)
  await locks.close()
})

for (const ask of ['extend', 'release'] as const) {
  test(`a helper thread that hangs over its work is not waited for: ${ask}`, async () => {
    const driver = new SharedDriver(newSharedLock())
    const locks = createLocks(driver, { deadlineMs: 50 })
    const lock = await locks.acquire('a', { ttl: '1m', renew: 'thread' })
    const other = lock.extend('50s')
    driver.hanging = true
    await other.catch(() => {})
    if (ask === 'extend') await lock.extend()
    else {
      const hung = lock.extend()
      assert.equal(await lock.release(), 'released')
      await assert.rejects(hung, LockLostError)
    }
    assert.equal(await lock.release(), 'released')
    assert.equal(await locks.inspect('a'), undefined)
    await locks.close()
  })
}

test('a lock that is handed over after the death of the helper thread is left alone', async () => {
  const driver = new SharedDriver(newSharedLock())
  const locks = createLocks(driver)
  const lock = await locks.acquire('a', { ttl: TTL_MS, renew: 'thread' })
  driver.deadly = true
  await lock.extend()
  lock.serialize({ detach: true })
  assert.equal(lock.state, 'released')
  await until(() => driver.isFree)
  await locks.close()
})

test('a thread that was stuck, but not for all of its lease, is worked for again', async () => {
  const { driver, locks } = start()
  const lock = await locks.acquire('a', { ttl: 4 * TTL_MS, renew: 'thread', maxStall: 1 })
  // The helper thread would have renewed after a third.
  block(2 * TTL_MS)
  assert.equal(driver.helped, 0)
  await until(() => driver.helped > 0 || lock.signal.aborted)
  assert.equal(lock.state, 'held')
  assert.equal(await lock.release(), 'released')
  await locks.close()
})

test('a driver that cannot be made in another thread is refused before anything is sent', async () => {
  const { driver, locks } = model()
  await assert.rejects(locks.acquire('a', { renew: 'thread' }), LockArgumentError)
  assert.equal(driver.asked.claim, 0)
  const shared = new SharedDriver(newSharedLock())
  const broken = createLocks(Object.assign(shared, { remake: { module: 'file:///no/such/module.js', options: {} } }))
  await assert.rejects(broken.acquire('a', { renew: 'thread' }), /the helper thread does not start/)
  assert.equal(await broken.inspect('a'), undefined)
  await broken.close()
})
