/** What is told of locks that a helper thread renews: real threads, real time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocks } from 'latchkey/locks'
import { eventually } from '../../support/eventually.js'
import { hearLocks } from '../../support/hearing.js'
import { newSharedLock, SharedDriver } from '../support/shared-driver.js'

const TTL_MS = 1000

test('renewals by the helper thread are told by this one, and so is what it cannot do', async () => {
  const driver = new SharedDriver(newSharedLock())
  const locks = createLocks(driver)
  using hearing = hearLocks()
  const statuses = () =>
    hearing.heard.filter(({ channel }) => channel === 'extend').map(({ said: { by, status } }) => `${by} ${status}`)
  const lock = await locks.acquire('a', { ttl: TTL_MS, renew: 'thread' })
  await eventually('it is renewed', async () => statuses().includes('renewal extended'))
  await lock.extend()
  assert.equal(statuses().at(-1), 'caller extended')
  driver.away = true
  await eventually('renewals fail', async () => statuses().includes('renewal failed'))
  const { error } = hearing.heard.at(-1)!.said
  assert.deepEqual(
    [(error as Error).message, (error as { code?: string }).code],
    ['a cannot be had: away', 'LOCK_UNAVAILABLE'],
  )
  driver.away = false
  await locks.forceRelease('a')
  await eventually('it is lost', async () => lock.state === 'lost')
  assert.equal(await lock.release(), 'lost')
  const ends = hearing.heard.filter(({ channel }) => channel === 'lost' || channel === 'release')
  assert.deepEqual(
    ends.map(({ channel }) => channel),
    ['lost'],
  )
  assert.equal(hearing.heard.at(-1), ends[0])
  await locks.close()
})

test('one end, also where the helper thread has died, and this one has gone on', async () => {
  const driver = new SharedDriver(newSharedLock())
  const locks = createLocks(driver)
  using hearing = hearLocks()
  const lock = await locks.acquire('a', { ttl: TTL_MS, renew: 'thread' })
  driver.deadly = true
  await eventually('this thread renews', async () => hearing.heard.some(({ channel }) => channel === 'extend'))
  assert.equal(await lock.release(), 'released')
  const channels = hearing.heard.map(({ channel }) => channel)
  assert.match(channels.join(' '), /^acquire grant( extend)+ release$/)
  await locks.close()
})

test('a lock of the helper thread that is handed over, or taken away', async () => {
  const locks = createLocks(new SharedDriver(newSharedLock()))
  using hearing = hearLocks(['grant', 'lost', 'release'])
  const lock = await locks.acquire('a', { ttl: TTL_MS, renew: 'thread' })
  const next = await locks.restore(lock.serialize({ detach: true }), { renew: 'thread' })
  await locks.forceRelease('a')
  await eventually('it is lost', async () => next.state === 'lost')
  const ends = hearing.heard.map(({ channel, said }) => `${channel} ${said.outcome ?? ''}`.trim())
  assert.deepEqual(ends, ['grant', 'release detached', 'grant', 'lost'])
  await locks.close()
})
