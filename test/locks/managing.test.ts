/** Looking at locks, taking them away, handing them over, explaining them, closing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LockAmbiguousError, LockLostError, LockUnavailableError } from 'latchkey/locks'
import { model } from './support/model.js'

const KEY = 'latchkey:lock:a'

async function all<T>(many: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const one of many) found.push(one)
  return found
}

test('inspect and list tell who holds what', async () => {
  const { time, locks } = model({ queues: true })
  assert.equal(await time.settled(locks.inspect('a')), undefined)
  const lock = await time.settled(locks.acquire('a', { ttl: '10s', label: 'me' }))
  await time.settled(locks.acquire('b'))
  const waiting = locks.acquire('a', { wait: '1m' })
  await time.advance(100)
  const info = await time.settled(locks.inspect('a'))
  assert.equal(info?.name, 'a')
  assert.equal(info.owner, lock.owner)
  assert.equal(info.fence, lock.fence)
  assert.deepEqual([info.host, info.pid, info.label, info.waiters], ['here', 1, 'me', 1])
  assert.ok(info.leftMs! > 9000 && info.since instanceof Date)
  assert.deepEqual((await all(locks.list())).map(({ name }) => name).sort(), ['a', 'b'])
  assert.deepEqual(
    (await all(locks.list('b'))).map(({ name }) => name),
    ['b'],
  )
  await time.settled(lock.release())
  await time.settled(waiting)
})

test('forceRelease takes the lock from the holder that was meant, and from no other', async () => {
  const { time, locks } = model()
  assert.equal(await time.settled(locks.forceRelease('a')), false)
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  assert.equal(await time.settled(locks.forceRelease('a', { ifFence: lock.fence - 1n })), false)
  assert.equal(await time.settled(locks.forceRelease('a', { ifOwner: '0'.repeat(32) })), false)
  assert.equal(lock.state, 'held')
  assert.equal(await time.settled(locks.forceRelease('a', { ifFence: lock.fence, ifOwner: lock.owner })), true)
  await time.advance(3100)
  assert.equal(lock.state, 'lost')
})

test('forceRelease resolves a lost reply, and does not take a renewed or a next lock by mistake', async () => {
  const { time, server, driver, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  // The holder renews between the look and the deletion.
  driver.fates = (kind, nth) => (kind === 'find' && nth === 1 ? { replyMs: 500 } : undefined)
  time.timer(100, () => lock.extend())
  assert.equal(await time.settled(locks.forceRelease('a')), true)
  const second = await time.settled(locks.acquire('a', { ttl: '9s' }))
  driver.fates = (kind, nth) => (kind === 'release' && nth > 1 ? { loss: 'reply' } : undefined)
  const forced = locks.forceRelease('a', { ifOwner: second.owner })
  await time.advance(100)
  const third = await time.settled(locks.acquire('a', { ttl: '9s' }))
  assert.equal(await time.settled(forced), true)
  assert.equal(server.get(KEY)?.holder.owner, third.owner)
})

test('reading from a server that does not answer is unavailable', async () => {
  const { time, locks } = model({ fates: () => ({ loss: 'request' }) })
  await assert.rejects(time.settled(locks.inspect('a')), LockUnavailableError)
  await assert.rejects(time.settled(locks.forceRelease('a')), LockUnavailableError)
})

test('a lock goes on in another process', async () => {
  const { time, server, locks } = model()
  const there = model({ time, server }).locks
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  await time.settled(lock.extend())
  const text = lock.serialize({ detach: true })
  assert.equal(lock.state, 'released')
  const restored = await time.settled(there.restore(text))
  assert.equal(restored.owner, lock.owner)
  assert.equal(restored.fence, lock.fence)
  assert.equal(await time.settled(lock.release()), 'lost')
  await time.advance(60_000)
  assert.equal(restored.state, 'held')
  assert.equal(await time.settled(restored.release()), 'released')
  await assert.rejects(time.settled(there.restore(text)), LockLostError)
  assert.throws(() => lock.serialize(), LockLostError)
})

test('a lock that is restored elsewhere and was not detached is lost here', async () => {
  const { time, server, locks } = model()
  const there = model({ time, server }).locks
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  const restored = await time.settled(there.restore(lock.serialize()))
  await time.advance(3100)
  assert.equal(lock.state, 'lost')
  assert.equal(restored.state, 'held')
})

test('a lock that nobody can tell of is not restored', async () => {
  const { time, driver, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  const text = lock.serialize()
  driver.fates = () => ({ loss: 'request' })
  await assert.rejects(time.settled(locks.restore(text)), (error) => {
    return error instanceof LockUnavailableError && !(error instanceof LockAmbiguousError)
  })
})

test('explain names the faults, for the configuration and the guarantee', async () => {
  const verdicts = async (facts: object, guarantee?: 'efficiency' | 'lease' | 'fenced') => {
    const { faults, text } = await model({ facts }).locks.explain('a', guarantee)
    assert.ok(faults.every(({ fault, why }) => text.includes(fault) && text.includes(why)))
    return Object.fromEntries(faults.map(({ fault, verdict }) => [fault, verdict]))
  }
  const good = await verdicts({ evicts: false, survivesRestart: true })
  assert.equal(good['the server restarts'], 'survived')
  assert.equal(good['the server is full'], 'survived')
  assert.equal(good['a holder is paused past its lease'], 'fenced')
  const bad = await verdicts({ evicts: true, survivesRestart: false }, 'lease')
  assert.equal(bad['the server restarts'], 'not survived')
  assert.equal(bad['the server is full'], 'not survived')
  assert.equal(bad['a holder is paused past its lease'], 'not survived')
  assert.equal((await verdicts({ evicts: undefined }))['the server is full'], 'unknown')
  assert.equal((await verdicts({ survivesRestart: true }, 'efficiency'))['the server restarts'], 'not survived')
})

test('close ends the waiting, releases what is held, and closes the driver', async () => {
  const { time, server, driver, locks } = model({ queues: true })
  const other = model({ time, server }).locks
  const held = await time.settled(locks.acquire('a'))
  await time.settled(other.acquire('b', { ttl: '1m' }))
  const waiting = locks.acquire('b', { wait: '1h' })
  waiting.catch(() => {})
  await time.advance(10)
  assert.equal(driver.closed, false)
  await time.settled(locks.close())
  assert.equal(driver.closed, true)
  assert.equal(held.state, 'released')
  assert.equal(server.get(KEY), undefined)
  assert.equal(server.waiters('latchkey:lock:b'), 0)
  await assert.rejects(waiting, LockUnavailableError)
  await assert.rejects(locks.acquire('c'), LockUnavailableError)
  await locks.close()
})

test('close does not wait for a server that is gone', async () => {
  const { time, driver, locks } = model()
  await time.settled(locks.acquire('a', { ttl: '1h' }))
  driver.fates = () => ({ loss: 'request' })
  const startedAt = time.now()
  await time.settled(locks.close())
  assert.ok(time.now() - startedAt < 5000)
})

test('locks that are closed ask once, and not without a pause', async () => {
  const { time, driver, locks } = model({ fates: () => ({ loss: 'refused' }) })
  await time.settled(locks.close())
  await assert.rejects(time.settled(locks.forceRelease('a')), LockUnavailableError)
  assert.equal(driver.asked.find, 1)
})

test('a listener of the signal that throws breaks nothing', async () => {
  const { time, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '3s', renew: false }))
  const thrown: unknown[] = []
  process.setUncaughtExceptionCaptureCallback((error) => thrown.push(error))
  try {
    const heard: string[] = []
    lock.signal.addEventListener('abort', () => {
      throw new Error('of the listener')
    })
    lock.signal.addEventListener('abort', () => heard.push(lock.state))
    await time.advance(3000)
    assert.deepEqual(heard, ['lost'])
    assert.equal(thrown.length, 1)
    assert.equal(await time.settled(lock.release()), 'lost')
  } finally {
    process.setUncaughtExceptionCaptureCallback(null)
  }
})
