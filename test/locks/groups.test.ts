/** Several locks as one: all or none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  LockArgumentError,
  LockBusyError,
  LockLostError,
  LockUnavailableError,
  LockWaitTimeoutError,
} from 'latchkey/locks'
import { model } from './support/model.js'

const KEYS = ['a', 'b', 'c'].map((name) => `latchkey:lock:${name}`)

test('several locks are acquired in the order of their names, and released as one', async () => {
  const { time, server, locks } = model()
  const group = await time.settled(locks.acquire(['c', 'a', 'b']))
  assert.deepEqual(group.names, ['a', 'b', 'c'])
  assert.deepEqual(
    server.deeds.map(({ key }) => key),
    KEYS,
  )
  assert.equal(group.state, 'held')
  assert.equal(group.fences.get('b'), server.get(KEYS[1])?.fence)
  group.assertHeld()
  assert.equal(await time.settled(group.release()), 'released')
  assert.equal(group.state, 'released')
  assert.equal(group.remainingMs(), 0)
  assert.deepEqual(
    server.deeds.slice(3).map(({ what, key }) => [what, key]),
    KEYS.toReversed().map((key) => ['delete', key]),
  )
})

test('when one of several is held by another, none is kept', async () => {
  const { time, server, locks } = model()
  const other = await time.settled(locks.acquire('b'))
  await assert.rejects(time.settled(locks.acquire(['a', 'b', 'c'])), LockBusyError)
  assert.equal(server.get(KEYS[0]), undefined)
  assert.equal(server.get(KEYS[2]), undefined)
  assert.equal(await time.settled(locks.tryAcquire(['a', 'b'])), undefined)
  const startedAt = time.now()
  await assert.rejects(time.settled(locks.acquire(['a', 'b'], { wait: 3000 })), LockWaitTimeoutError)
  assert.ok(time.now() - startedAt < 3100, 'one patience for all of them')
  assert.equal(server.get(KEYS[0]), undefined)
  assert.equal(await time.settled(other.release()), 'released')
})

test('the signal fires when any of several is lost', async () => {
  const { time, server, locks } = model()
  const group = await time.settled(locks.acquire(['a', 'b'], { ttl: '3s' }))
  assert.equal(await time.settled(locks.forceRelease('b')), true)
  await time.advance(1100)
  assert.ok(group.signal.reason instanceof LockLostError)
  assert.equal(group.signal.reason.lock, 'b')
  assert.equal(group.state, 'lost')
  assert.throws(() => group.assertHeld(), LockLostError)
  assert.equal(await time.settled(group.release()), 'lost')
  assert.equal(server.get(KEYS[0]), undefined)
})

test('the first of several has enough of its lease left although the last was waited for', async () => {
  for (const renew of [true, false]) {
    const { time, locks } = model()
    const other = await time.settled(locks.acquire('b', { ttl: '1m' }))
    time.timer(2500, () => other.release())
    const group = await time.settled(locks.acquire(['a', 'b'], { ttl: 3000, wait: '10s', renew }))
    assert.ok(group.remainingMs() >= 1000, String(group.remainingMs()))
  }
})

test('several are not had when the first was lost while the last was waited for', async () => {
  const { time, server, locks } = model()
  const other = await time.settled(locks.acquire('b', { ttl: '1m' }))
  time.timer(5000, () => other.release())
  const acquiring = locks.acquire(['a', 'b'], { ttl: 3000, wait: '10s', renew: false })
  await assert.rejects(time.settled(acquiring), LockUnavailableError)
  assert.equal(server.get(KEYS[1]), undefined)
})

test('an abort while several are waited for releases those that were had', async () => {
  const { time, server, locks } = model({ queues: true })
  await time.settled(locks.acquire('b', { ttl: '1m' }))
  const controller = new AbortController()
  const acquiring = locks.acquire(['a', 'b'], { wait: '10s', signal: controller.signal })
  await time.advance(100)
  controller.abort(new Error('enough'))
  await assert.rejects(time.settled(acquiring), /enough/)
  assert.equal(server.get(KEYS[0]), undefined)
})

test('none, and one twice, are refused', async () => {
  const { driver, locks } = model()
  await assert.rejects(locks.acquire([]), LockArgumentError)
  await assert.rejects(locks.acquire(['b', 'a', 'b']), /'b' is named twice/)
  assert.equal(driver.asked.claim, 0)
})
