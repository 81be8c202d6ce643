/** Waiting for a lock: in queues, by polling, while the server is away, and giving up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LockBusyError, LockUnavailableError, LockWaitTimeoutError } from 'latchkey/locks'
import { model } from './support/model.js'

const KEY = 'latchkey:lock:a'

test('rule 12: where there is a queue, one request waits in it', async () => {
  const { time, driver, locks } = model({ queues: true })
  const first = await time.settled(locks.acquire('a', { ttl: '1m' }))
  const waiting = locks.acquire('a', { wait: '1h' })
  await time.advance(600_000)
  assert.equal(driver.asked.claim, 2)
  await time.settled(first.release())
  assert.equal((await time.settled(waiting)).state, 'held')
  assert.equal(driver.asked.claim, 2)
})

test('rule 12: elsewhere it is polled, soon at first and not too often', async () => {
  const { time, driver, locks } = model()
  const first = await time.settled(locks.acquire('a', { ttl: '1m' }))
  const waiting = locks.acquire('a', { wait: '1h' })
  await time.advance(50)
  assert.ok(driver.asked.claim >= 3, `${driver.asked.claim} in the first 50 ms`)
  await time.advance(60_000)
  assert.ok(driver.asked.claim > 200 && driver.asked.claim < 1500, `${driver.asked.claim} in a minute`)
  await time.settled(first.release())
  const since = time.now()
  await time.settled(waiting)
  assert.ok(time.now() - since <= 260)
})

test('rule 12: it is asked no later than when the holder is known to end', async () => {
  const { time, driver, locks, server } = model()
  const claim = driver.claim.bind(driver)
  driver.claim = async (...given) => {
    const result = await claim(...given)
    return result.status === 'busy' ? { ...result, found: server.found(KEY) } : result
  }
  await time.settled(locks.acquire('a', { ttl: 3000, renew: false }))
  const endsAt = server.get(KEY)!.endsAt
  await time.settled(locks.acquire('a', { wait: '1m' }))
  assert.ok(time.now() - endsAt <= 10, `${time.now() - endsAt} ms late`)
})

test('the wait is over when it is over, and tells who has it', async () => {
  for (const queues of [true, false]) {
    const { time, locks } = model({ queues })
    const first = await time.settled(locks.acquire('a', { ttl: '1m', label: 'the first' }))
    const startedAt = time.now()
    await assert.rejects(time.settled(locks.acquire('a', { wait: 5000 })), (error: LockWaitTimeoutError) => {
      return (
        error instanceof LockWaitTimeoutError && error.holder?.owner === first.owner && /the first/.test(error.message)
      )
    })
    assert.ok(time.now() - startedAt >= 5000 && time.now() - startedAt < 5050, String(time.now() - startedAt))
    assert.equal(await time.settled(locks.tryAcquire('a', { wait: 100 })), undefined)
    await assert.rejects(time.settled(locks.acquire('a')), LockBusyError)
  }
})

test('rule 9: a server that cannot be asked is unavailable, at once or when the wait is over', async () => {
  const { time, driver, locks } = model({ fates: () => ({ loss: 'refused' }) })
  await assert.rejects(time.settled(locks.acquire('a')), LockUnavailableError)
  await assert.rejects(time.settled(locks.tryAcquire('a')), LockUnavailableError)
  assert.equal(driver.asked.claim, 2)
  const startedAt = time.now()
  await assert.rejects(time.settled(locks.acquire('a', { wait: '5s' })), LockUnavailableError)
  assert.ok(time.now() - startedAt >= 5000)
  assert.ok(driver.asked.claim > 6)
})

test('rule 9: it is acquired as soon as the server is there', async () => {
  const { time, locks } = model({
    fates: (kind, nth) => (kind === 'claim' && nth < 5 ? { loss: 'refused' } : undefined),
  })
  const lock = await time.settled(locks.acquire('a', { wait: '1m' }))
  assert.equal(lock.state, 'held')
  assert.ok(time.now() < 5000)
})

test('rule 10: it is not asked before the time that the server named, and not waited for what is in vain', async () => {
  const fates = (_: string, nth: number) => (nth === 1 ? { loss: 'refused' as const, retryAfterMs: 4000 } : undefined)
  const patient = model({ fates })
  await patient.time.settled(patient.locks.acquire('a', { wait: '10s' }))
  assert.ok(patient.time.now() >= 4000)
  const impatient = model({ fates })
  await assert.rejects(impatient.time.settled(impatient.locks.acquire('a', { wait: '3s' })), LockUnavailableError)
  assert.ok(impatient.time.now() < 100)
})

test('it can be waited for ever', async () => {
  for (const queues of [true, false]) {
    const { time, locks, driver } = model({ queues })
    const first = await time.settled(locks.acquire('a', { maxHold: Number.POSITIVE_INFINITY, ttl: '1h' }))
    const waiting = locks.acquire('a', { wait: Number.POSITIVE_INFINITY })
    time.timer(100_000, () => first.release())
    assert.equal((await time.settled(waiting)).state, 'held')
    assert.ok(driver.claims.every(({ waitMs }) => Number.isSafeInteger(waitMs)))
  }
})

test('many wait under one signal without a warning', async () => {
  const warnings: Error[] = []
  const warned = (warning: Error) => warnings.push(warning)
  process.on('warning', warned)
  const { time, locks } = model({ queues: true })
  const { signal } = new AbortController()
  const all = Array.from({ length: 50 }, () => locks.acquire('a', { wait: '1h', signal, ttl: '1s', renew: false }))
  await time.settled(Promise.all(all))
  process.off('warning', warned)
  assert.deepEqual(warnings, [])
})

test('an abort ends the waiting with its reason, and leaves the queue', async () => {
  for (const queues of [true, false]) {
    const { time, server, locks } = model({ queues })
    const first = await time.settled(locks.acquire('a'))
    const controller = new AbortController()
    const waiting = locks.acquire('a', { wait: '1h', signal: controller.signal })
    await time.advance(1000)
    const reason = new Error('enough')
    controller.abort(reason)
    await assert.rejects(time.settled(waiting), reason)
    assert.equal(server.waiters(KEY), 0)
    await time.settled(first.release())
    await time.advance(60_000)
    assert.equal(server.get(KEY), undefined)
    await assert.rejects(locks.acquire('a', { signal: controller.signal }), reason)
  }
})

test('rule 7: the abort of a signal with which a lock was acquired does not touch it', async () => {
  const { time, locks } = model()
  const controller = new AbortController()
  const lock = await time.settled(locks.acquire('a', { signal: controller.signal }))
  controller.abort()
  assert.equal(lock.state, 'held')
  await time.advance(100_000)
  assert.equal(lock.state, 'held')
  assert.equal(await time.settled(lock.release()), 'released')
})

test('what is returned has enough of its lease left', async () => {
  const slow = (kind: string, nth: number) => (kind === 'claim' && nth === 1 ? { replyMs: 800 } : undefined)
  const { time, locks, driver } = model({ fates: slow })
  const lock = await time.settled(locks.acquire('a', { ttl: 1000, renew: false }))
  assert.ok(lock.remainingMs() >= 333)
  assert.equal(driver.asked.extend, 1)
})

test('what cannot have enough of its lease left is not returned, and not left behind', async () => {
  const { time, server, locks } = model({ fates: () => ({ replyMs: 800 }) })
  const acquiring = locks.acquire('a', { ttl: 2000, minRemaining: 1500, renew: false })
  await assert.rejects(time.settled(acquiring), LockUnavailableError)
  await time.advance(3000)
  assert.equal(server.get(KEY), undefined)
  assert.equal(server.deeds.filter(({ what }) => what === 'delete').length, 1)
})
