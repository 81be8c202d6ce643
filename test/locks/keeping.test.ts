/** A lock that is held: its lease, its renewal, its loss, its release. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LockArgumentError, LockBusyError, LockLostError, LockUnavailableError } from 'latchkey/locks'
import { LeaseClock } from '#dist/locks/clock.js'
import { Locks } from '#dist/locks/locks.js'
import { model, virtualEnvironment } from './support/model.js'

const KEY = 'latchkey:lock:a'

test('a lock is acquired, excludes others, is released, and is free', async () => {
  const { time, server, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '10s' }))
  assert.equal(lock.state, 'held')
  assert.equal(lock.name, 'a')
  assert.match(lock.owner, /^[0-9a-f]{32}$/)
  assert.equal(lock.fence, server.get(KEY)?.fence)
  const busy = time.settled(locks.acquire('a'))
  await assert.rejects(busy, (error: LockBusyError) => {
    return error instanceof LockBusyError && error.holder?.owner === lock.owner && error.message.includes('pid 1')
  })
  assert.equal(await time.settled(locks.tryAcquire('a')), undefined)
  assert.equal(await time.settled(lock.release()), 'released')
  assert.equal(server.get(KEY), undefined)
  const next = await time.settled(locks.acquire('a'))
  assert.ok(next.fence > lock.fence)
  assert.notEqual(next.owner, lock.owner)
})

test('rule 1: the lease counts from before the request, less granularity and margin', async () => {
  const slow = () => ({ requestMs: 5, replyMs: 100 })
  const { time, locks } = model({ granularityMs: 1000, fates: slow })
  const lock = await time.settled(locks.acquire('a', { ttl: 10_000, renew: false }))
  // Sent 105 ms ago; a second of granularity; a margin of 2 ms and a thousandth.
  assert.equal(lock.remainingMs(), 10_000 - 105 - 1000 - 12)
})

test('rule 1: what waited in the queue counts from when it was given', async () => {
  const { time, locks, server } = model({ queues: true })
  const first = await time.settled(locks.acquire('a', { ttl: 10_000, renew: false }))
  const waiting = locks.acquire('a', { ttl: 5000, wait: 20_000, renew: false })
  await time.advance(4000)
  assert.equal(server.waiters(KEY), 1)
  await time.settled(first.release())
  const second = await time.settled(waiting)
  const left = second.remainingMs()
  assert.ok(left > 4980 && left <= 5000 - 7, String(left))
})

test('rule 2: a suspended machine finds its lease gone; a wall clock set back does nothing', () => {
  const at = { monotonic: 0, wall: 1e12 }
  const clock = new LeaseClock({ monotonicMs: () => at.monotonic, wallMs: () => at.wall })
  const pass = (monotonicMs: number, wallMs: number) => {
    at.monotonic += monotonicMs
    at.wall += wallMs
    return clock.now()
  }
  assert.equal(pass(100, 100), 100)
  // Suspended: only the wall clock went on.
  assert.equal(pass(1, 60_001), 60_101)
  // Set back: time goes on, and a suspension after it still counts.
  assert.equal(pass(10, -3_600_000), 60_111)
  assert.equal(pass(0, 5000), 65_111)
})

test('rule 2: reading the clock often does not make it run', () => {
  const at = { us: 0 }
  const clock = new LeaseClock({ monotonicMs: () => at.us / 1000, wallMs: () => Math.floor(at.us / 1000) })
  for (; at.us < 1e6; at.us += 100) clock.now()
  assert.ok(Math.abs(clock.now() - 1000) < 2, String(clock.now()))
})

test('rule 2: a wall clock that creeps ahead is followed', () => {
  const at = { monotonic: 0, wall: 1e12 }
  const clock = new LeaseClock({ monotonicMs: () => at.monotonic, wallMs: () => at.wall })
  for (let i = 0; i < 100; i++) {
    at.monotonic += 1
    at.wall += 2
    clock.now()
  }
  assert.ok(clock.now() >= 198, String(clock.now()))
})

test('rule 2: who was suspended learns of the loss soon after, without asking', async () => {
  const { time, driver } = model()
  const environment = virtualEnvironment(time)
  let suspendedMs = 0
  const clock = { now: () => time.now() + suspendedMs }
  const locks = new Locks(driver, {}, { ...environment, clock })
  const lock = await time.settled(locks.acquire('a', { ttl: '1m', renew: false }))
  // Timers count on where they were.
  suspendedMs = 120_000
  await time.advance(1000)
  assert.equal(lock.signal.aborted, true)
})

test('rule 5: a lock that the server has no more is lost, and is never made anew', async () => {
  const { time, server, driver, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '10s' }))
  server.flush()
  await time.advance(4000)
  assert.equal(lock.state, 'lost')
  assert.ok(lock.signal.reason instanceof LockLostError)
  assert.equal(server.get(KEY), undefined)
  await assert.rejects(time.settled(lock.extend()), LockLostError)
  assert.equal(driver.asked.extend, 1)
  assert.equal(await time.settled(lock.release()), 'lost')
  assert.equal(driver.asked.release, 0)
})

test('rule 13: it is renewed at a third of its lease, and held far beyond it', async () => {
  const { time, driver, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  await time.advance(2900)
  assert.equal(driver.asked.extend, 0)
  await time.advance(200)
  assert.equal(driver.asked.extend, 1)
  await time.advance(600_000)
  assert.equal(lock.state, 'held')
  assert.equal(lock.fence, driver.claims.length === 1 ? lock.fence : -1n)
  assert.equal(await time.settled(lock.release()), 'released')
})

test('rule 13: a failed renewal is tried again while the lease lasts', async () => {
  const { time, driver, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  driver.fates = (kind) => (kind === 'extend' ? { loss: 'refused' } : undefined)
  await time.advance(6000)
  assert.equal(lock.state, 'suspect')
  assert.ok(driver.asked.extend > 3)
  lock.assertHeld()
  driver.fates = () => undefined
  await time.advance(2000)
  assert.equal(lock.state, 'held')
  await time.advance(30_000)
  assert.equal(lock.state, 'held')
})

test('rule 13: without renewal the signal fires just before the end of what may be believed', async () => {
  const { time, driver, locks, server } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  driver.fates = (kind) => (kind === 'extend' || kind === 'find' ? { loss: 'request' } : undefined)
  let firedAt = 0
  lock.signal.addEventListener('abort', () => {
    firedAt = time.now()
  })
  const left = lock.remainingMs()
  const end = time.now() + left
  await time.advance(left)
  assert.ok(firedAt < end && firedAt > end - 10, `${end - firedAt} ms before`)
  assert.ok(firedAt < server.get(KEY)!.endsAt, 'not before the server ends it')
  assert.equal(lock.state, 'lost')
  assert.equal(lock.remainingMs(), 0)
})

test('rule 13: maxHold ends the renewing', async () => {
  const { time, locks, server } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '3s', maxHold: '10s' }))
  await time.advance(9000)
  assert.equal(lock.state, 'held')
  await time.advance(4500)
  assert.equal(lock.state, 'lost')
  assert.equal(server.get(KEY), undefined)
})

test('rule 13: after a stall, assertHeld throws although no timer has run', async () => {
  const { time, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '3s' }))
  lock.assertHeld()
  assert.throws(() => lock.assertHeld(5000), LockLostError)
  assert.equal(lock.state, 'held')
  time.stall(3000)
  assert.throws(() => lock.assertHeld(), LockLostError)
  assert.equal(lock.signal.aborted, true)
  assert.equal(lock.state, 'lost')
})

test('rule 13: a renewal whose answer comes after the end does not bring the lock back', async () => {
  const { time, locks, driver } = model({ locks: { deadlineMs: 60_000 } })
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  driver.fates = (kind) => (kind === 'extend' ? { replyMs: 50 } : undefined)
  await time.advance(3010)
  assert.equal(driver.asked.extend, 1)
  // The answer is there before any timer has run.
  time.stall(8000)
  await time.advance(5000)
  assert.equal(lock.state, 'lost')
  assert.throws(() => lock.assertHeld(), LockLostError)
  // The server did extend it, and would keep it: a release takes it away.
  assert.equal(await time.settled(lock.release()), 'lost')
})

test('rule 7: a release waits for the renewal in flight, and no renewal comes after it', async () => {
  const { time, server, driver, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  driver.fates = (kind) => (kind === 'extend' ? { requestMs: 300, replyMs: 300 } : undefined)
  await time.advance(3100)
  assert.equal(driver.asked.extend, 1)
  const released = lock.release()
  assert.equal(lock.state, 'released')
  assert.equal(lock.remainingMs(), 0)
  await time.advance(100)
  assert.equal(driver.asked.release, 0)
  assert.equal(await time.settled(released), 'released')
  assert.equal(server.get(KEY), undefined)
  await time.advance(60_000)
  assert.equal(driver.asked.extend, 1)
  assert.equal(await time.settled(lock.release()), 'released')
  assert.equal(driver.asked.release, 1)
  assert.equal(lock.signal.aborted, false)
})

test('extend begins a new lease of that length; a shorter one is believed at once', async () => {
  const { time, driver, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  await time.settled(lock.extend('60s'))
  assert.ok(lock.remainingMs() > 59_000)
  driver.fates = (kind) => (kind === 'extend' ? { loss: 'reply' } : undefined)
  const shorter = lock.extend('5s')
  await time.advance(2)
  assert.ok(lock.remainingMs() < 5000, 'the server may have it already')
  await assert.rejects(time.settled(shorter), LockUnavailableError)
  assert.equal(lock.state, 'suspect')
})

test('extend after a lost reply goes on with the version that the server has', async () => {
  const { time, server, driver, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  driver.fates = (kind, nth) => (kind === 'extend' && nth === 1 ? { loss: 'drop' } : undefined)
  await time.settled(lock.extend())
  assert.equal(lock.state, 'held')
  assert.equal(await time.settled(lock.release()), 'released')
  assert.equal(server.get(KEY), undefined)
})

test('a renewal that is carried out late does not make the lock look lost', async () => {
  const { time, driver, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  // It arrives between the reading back and the next try, whose version is wrong then.
  driver.fates = (kind, nth) => {
    if (kind === 'extend' && nth === 1) return { requestMs: 1500 }
    return kind === 'find' && nth === 1 ? { replyMs: 900 } : undefined
  }
  await time.advance(60_000)
  assert.equal(lock.state, 'held')
  assert.equal(driver.asked.find, 2)
})

test('a lock without a fence has none to hand out', async () => {
  const { time, locks } = model({ locks: { guarantee: 'lease' } })
  const lock = await time.settled(locks.acquire('a'))
  assert.equal(lock.guarantee, 'lease')
  assert.throws(() => lock.fence, LockArgumentError)
})

test('a body is run with the lock, and its error is the one that is seen', async () => {
  const { time, server, driver, locks } = model()
  assert.equal(await time.settled(locks.using('a', (lock) => lock.name)), 'a')
  assert.equal(server.get(KEY), undefined)
  driver.fates = (kind) => (kind === 'release' || kind === 'find' ? { loss: 'request' } : undefined)
  const failing = locks.using('a', { ttl: '2s' }, async (_, signal) => {
    assert.equal(signal.aborted, false)
    throw new Error('of the body')
  })
  await assert.rejects(time.settled(failing), /of the body/)
})

test('releaseAfter keeps the lock until the work has settled, and settles as that does', async () => {
  const { time, server, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '3s' }))
  const work = new Promise<string>((resolve) => time.timer(20_000, () => resolve('done')))
  const released = lock.releaseAfter(work)
  await time.advance(19_000)
  assert.equal(lock.state, 'held')
  assert.equal(await time.settled(released), 'done')
  assert.equal(server.get(KEY), undefined)
  const other = await time.settled(locks.acquire('a'))
  await assert.rejects(time.settled(other.releaseAfter(Promise.reject(new Error('no')))), /no/)
  assert.equal(server.get(KEY), undefined)
})
