/** Rule 6: what is not known is asked for, believed when it is confirmed, and taken away when it is not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LockAmbiguousError, LockBusyError } from 'latchkey/locks'
import { model } from './support/model.js'
import type { Fates } from './support/model-driver.js'

const KEY = 'latchkey:lock:a'

test('a claim whose reply is lost is held once it is confirmed, and counts from the confirmation', async () => {
  for (const loss of ['reply', 'drop'] as const) {
    const { time, driver, locks } = model({ fates: (kind) => (kind === 'claim' ? { loss } : undefined) })
    const lock = await time.settled(locks.acquire('a', { ttl: 10_000, renew: false }))
    assert.equal(lock.state, 'held')
    assert.equal(driver.asked.extend, 1)
    assert.ok(lock.remainingMs() > 9900)
    assert.equal(await time.settled(lock.release()), 'released')
  }
})

test('a claim that never arrived is not believed, and a new one has a new owner', async () => {
  const fates: Fates = (kind, nth) => (kind === 'claim' && nth === 1 ? { loss: 'request' } : undefined)
  const once = model({ fates })
  await assert.rejects(once.time.settled(once.locks.acquire('a')), LockBusyError)
  const { time, driver, locks } = model({ fates })
  await time.settled(locks.acquire('a', { wait: '10s' }))
  const [first, second] = driver.claims
  assert.notEqual(first.holder.owner, second.holder.owner)
})

test('nobody can tell in time: ambiguous, not held, and taken away as soon as the server answers', async () => {
  const { time, server, driver, locks } = model({ fates: () => ({ loss: 'reply' }) })
  await assert.rejects(time.settled(locks.acquire('a', { ttl: '1m' })), LockAmbiguousError)
  assert.ok(server.get(KEY) !== undefined)
  await time.advance(5000)
  driver.fates = () => undefined
  await time.advance(2100)
  assert.equal(server.get(KEY), undefined)
})

test('a claim that is carried out long after it was given up is taken away', async () => {
  const { time, server, locks } = model({
    fates: (kind) => (kind === 'claim' ? { requestMs: 9000 } : undefined),
  })
  await assert.rejects(time.settled(locks.acquire('a', { ttl: '30s' })), LockBusyError)
  await time.advance(10_000)
  assert.equal(server.deeds[0].what, 'add')
  await time.advance(25_000)
  assert.equal(server.get(KEY), undefined)
  assert.equal(server.deeds.at(-1)?.what, 'delete')
})

test('a confirmation that is carried out late does not make the claim look failed', async () => {
  const { time, driver, locks } = model({
    fates: (kind, nth) => {
      if (kind === 'claim') return { loss: 'drop' }
      // It arrives between the next look and the next extension, whose version is wrong then.
      if (kind === 'extend' && nth === 1) return { requestMs: 1100 }
      return kind === 'find' && nth === 2 ? { replyMs: 300 } : undefined
    },
  })
  const lock = await time.settled(locks.acquire('a', { wait: '10s' }))
  assert.equal(driver.asked.claim, 1)
  assert.equal(driver.asked.find, 3)
  assert.equal(await time.settled(lock.release()), 'released')
})

test('a lock that is only half made has no fence, and is not held', async () => {
  const { time, server, driver, locks } = model({ fates: (kind) => (kind === 'claim' ? { loss: 'drop' } : undefined) })
  const find = driver.find.bind(driver)
  driver.find = async (...given) => {
    const found = await find(...given)
    return found && { ...found, fence: undefined }
  }
  await assert.rejects(time.settled(locks.acquire('a', { ttl: '1m' })), LockBusyError)
  await time.advance(1000)
  assert.equal(server.get(KEY), undefined)
  const unfenced = await time.settled(locks.acquire('a', { guarantee: 'lease' }))
  assert.equal(unfenced.state, 'held')
})

test('a claim that another won meanwhile is not taken for ours', async () => {
  const { time, server, driver, locks } = model()
  const first = await time.settled(locks.acquire('a', { ttl: '1m' }))
  driver.fates = (kind) => (kind === 'claim' ? { loss: 'drop' } : undefined)
  await assert.rejects(time.settled(locks.acquire('a')), LockBusyError)
  await time.advance(20_000)
  assert.equal(server.get(KEY)?.holder.owner, first.owner)
})

test('a release whose reply is lost is resolved', async () => {
  const { time, server, driver, locks } = model()
  const lock = await time.settled(locks.acquire('a'))
  driver.fates = (kind) => (kind === 'release' ? { loss: 'drop' } : undefined)
  assert.equal(await time.settled(lock.release()), 'released')
  assert.equal(server.get(KEY), undefined)
})

test('a release that never arrived is sent again', async () => {
  const { time, server, driver, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '1m' }))
  driver.fates = (kind, nth) => (kind === 'release' && nth === 1 ? { loss: 'request' } : undefined)
  await time.settled(lock.release())
  await time.advance(1000)
  assert.equal(server.get(KEY), undefined)
})

test('a release that nobody answers ends as unknown, and goes on until the server answers', async () => {
  const { time, server, driver, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '1m' }))
  driver.fates = () => ({ loss: 'request' })
  const startedAt = time.now()
  assert.equal(await time.settled(lock.release()), 'unknown')
  assert.ok(time.now() - startedAt <= 2100, 'within two deadlines')
  driver.fates = () => undefined
  await time.advance(2100)
  assert.equal(server.get(KEY), undefined)
})

test('rule 7 of the field: a repeated release does not touch the successor', async () => {
  const { time, server, driver, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '1m' }))
  // The first deletion is carried out, its reply is lost; before it is asked again another has the lock.
  driver.fates = (kind, nth) => (kind === 'release' && nth === 1 ? { loss: 'reply' } : undefined)
  const released = lock.release()
  await time.advance(10)
  const next = await time.settled(locks.acquire('a', { ttl: '1m' }))
  assert.equal(await time.settled(released), 'released')
  await time.advance(120_000)
  assert.equal(server.get(KEY)?.holder.owner, next.owner)
  assert.equal(next.state, 'held')
})

test('after a renewal whose reply was lost, the release finds its version', async () => {
  const { time, server, driver, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  driver.fates = (kind) => (kind === 'extend' ? { loss: 'drop' } : undefined)
  await time.advance(3010)
  assert.equal(lock.state, 'suspect')
  assert.equal(await time.settled(lock.release()), 'released')
  assert.equal(server.get(KEY), undefined)
})

test('a lost lock that the server keeps, because it got the renewal, is taken away by its release', async () => {
  const { time, server, driver, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  driver.fates = (kind) => (kind === 'extend' ? { loss: 'reply' } : undefined)
  await time.advance(9000)
  assert.equal(lock.state, 'lost')
  assert.ok(server.get(KEY)!.endsAt > time.now() + 1000)
  assert.equal(await time.settled(lock.release()), 'lost')
  await time.advance(100)
  assert.equal(server.get(KEY), undefined)
})
