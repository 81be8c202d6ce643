/** What is published of a lock, and when. */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import { createLocks, LockBusyError, LockWaitTimeoutError, store } from 'latchkey/locks'
import { Store } from 'latchkey/store'
import { asking } from '#dist/locks/trace.js'
import { eventually } from '../../support/eventually.js'
import { type Heard, hearLocks } from '../../support/hearing.js'
import { model } from '../support/model.js'

const site = { driver: { kind: 'none' }, environment: { clock: { now: () => 0 } } }

function channelsOf(heard: readonly Heard[]): string[] {
  return heard.map(({ channel }) => channel)
}

test('from the asking to the release: one object, which says more each time', async () => {
  const { time, locks } = model()
  using hearing = hearLocks()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s', maxHold: '1m' }))
  await time.advance(3100)
  await time.settled(lock.extend('12s'))
  await time.settled(lock.release())
  await time.settled(lock.release())
  const { heard } = hearing
  assert.deepEqual(channelsOf(heard), ['acquire', 'grant', 'extend', 'extend', 'release'])
  const [acquire, grant, renewal, extension, release] = heard
  const unknown = { waiting: undefined, heldMs: undefined, why: undefined, outcome: undefined, error: undefined }
  const known = { name: 'a', driver: 'model', guarantee: 'fenced', ttlMs: 9000, maxHoldMs: 60_000, restored: false }
  assert.deepEqual(acquire.said, { ...known, ...unknown, owner: undefined, fence: undefined, waitMs: undefined })
  const granted = { ...known, ...unknown, owner: lock.owner, fence: lock.fence, waitMs: 2 }
  assert.deepEqual(grant.said, granted)
  const extended = { lock: grant.message, status: 'extended', error: undefined, ms: 2 }
  assert.deepEqual(renewal.said, { ...extended, by: 'renewal', ttlMs: 9000 })
  assert.deepEqual(extension.said, { ...extended, by: 'caller', ttlMs: 12_000 })
  const { heldMs, ...rest } = release.said
  assert.deepEqual(rest, { ...omit(granted, 'heldMs'), outcome: 'released' })
  assert.ok((heldMs as number) >= 3100 && (heldMs as number) < 3200, `${heldMs}`)
  assert.ok(grant.message === acquire.message && release.message === acquire.message)
})

test('who does not get it: why, and whether it was waited for', async () => {
  const { time, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '1h' }))
  using hearing = hearLocks()
  await assert.rejects(time.settled(locks.acquire('a')), LockBusyError)
  await assert.rejects(time.settled(locks.acquire('a', { wait: '1s' })), LockWaitTimeoutError)
  const reason = new Error('enough')
  const aborted = locks.acquire('a', { wait: '1m', signal: abortedAfter(500, reason) })
  await assert.rejects(time.settled(aborted), (error) => error === reason)
  assert.deepEqual(channelsOf(hearing.heard), [
    'acquire',
    'error',
    'acquire',
    'wait',
    'error',
    'acquire',
    'wait',
    'error',
  ])
  const [busy, late, given] = hearing.heard.filter(({ channel }) => channel === 'error').map(({ said }) => said)
  assert.ok(busy.error instanceof LockBusyError && busy.waiting === undefined)
  assert.ok(late.error instanceof LockWaitTimeoutError && late.waiting === 'poll' && (late.waitMs as number) >= 1000)
  assert.equal(given.error, reason)
  await time.settled(lock.release())

  function abortedAfter(ms: number, reason: Error): AbortSignal {
    const controller = new AbortController()
    time.timer(ms, () => controller.abort(reason))
    return controller.signal
  }
})

test('who waits in the queue is told of while it waits', async () => {
  const { time, locks } = model({ queues: true })
  const lock = await time.settled(locks.acquire('a'))
  using hearing = hearLocks()
  const waiting = locks.acquire('a', { wait: '1m' })
  await time.advance(5000)
  assert.deepEqual(channelsOf(hearing.heard), ['acquire', 'wait'])
  await time.settled(lock.release())
  await time.settled(waiting)
  const grant = hearing.heard.find(({ channel }) => channel === 'grant')!
  assert.equal(grant.said.waiting, 'queue')
  assert.ok((grant.said.waitMs as number) >= 5000)
  await time.settled(locks.close())
})

test('on the embedded store, too, and not of who need not wait', async () => {
  const locks = createLocks(store(new Store({ memory: '8mb' })))
  using hearing = hearLocks()
  const lock = await locks.acquire('a', { wait: '1m' })
  const waiting = locks.acquire('a', { wait: '1m' })
  await eventually('it waits', async () => hearing.heard.length === 4)
  assert.deepEqual(channelsOf(hearing.heard), ['acquire', 'grant', 'acquire', 'wait'])
  await lock.release()
  await (await waiting).release()
  await locks.close()
})

test('a lock that is taken away: a renewal finds it gone, and then it is lost', async () => {
  const { time, locks } = model()
  using hearing = hearLocks()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  await time.settled(locks.forceRelease('a'))
  await time.advance(3100)
  assert.equal(await time.settled(lock.release()), 'lost')
  assert.deepEqual(channelsOf(hearing.heard), ['acquire', 'grant', 'extend', 'lost'])
  assert.deepEqual([hearing.heard[2].said.status, hearing.heard[2].said.by], ['gone', 'renewal'])
  assert.match(String(hearing.heard[3].said.why), /the server has it no more/)
})

test('a server that does not answer: each failed try, and the loss at the end of the lease', async () => {
  const { time, driver, locks } = model()
  using hearing = hearLocks()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  driver.fates = () => ({ loss: 'refused' })
  await time.advance(10_000)
  assert.equal(lock.state, 'lost')
  const tries = hearing.heard.filter(({ channel }) => channel === 'extend').map(({ said }) => said)
  assert.ok(tries.length > 2)
  for (const { status, error } of tries)
    assert.deepEqual([status, (error as Error).name], ['failed', 'LockUnavailableError'])
  assert.equal(hearing.heard.at(-1)!.channel, 'lost')
  assert.equal(hearing.heard.at(-1)!.said.why, 'its lease is over')
})

test('nothing is told after the end: a renewal that is answered while the lock is being released', async () => {
  const { time, driver, locks } = model()
  using hearing = hearLocks()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  driver.fates = (kind) => (kind === 'extend' ? { replyMs: 500 } : undefined)
  await time.advance(3100)
  assert.equal(driver.asked.extend, 1)
  assert.equal(await time.settled(lock.release()), 'released')
  assert.deepEqual(channelsOf(hearing.heard), ['acquire', 'grant', 'release'])
})

test('a lock that is handed over is released here, and restored there', async () => {
  const { time, locks } = model()
  using hearing = hearLocks()
  const lock = await time.settled(locks.acquire('a', { guarantee: 'lease' }))
  const text = lock.serialize({ detach: true })
  await time.settled(locks.restore(text)).then((again) => time.settled(again.release()))
  await assert.rejects(time.settled(locks.restore(text)))
  assert.deepEqual(channelsOf(hearing.heard), [
    ...['acquire', 'grant', 'release'],
    ...['acquire', 'grant', 'release'],
    ...['acquire', 'error'],
  ])
  const outcomes = hearing.heard.map(({ said: { restored, outcome } }) => [restored, outcome])
  assert.deepEqual([outcomes[2], outcomes[5], outcomes[7][0]], [[false, 'detached'], [true, 'released'], true])
  assert.equal(hearing.heard[1].said.fence, undefined)
})

test('who subscribes late hears of the end of what is held, by an object of its own', async () => {
  const { time, locks } = model()
  const lock = await time.settled(locks.acquire('a', { ttl: '9s' }))
  using hearing = hearLocks()
  await time.advance(3100)
  await time.settled(lock.release())
  const [extend, release] = hearing.heard
  assert.deepEqual([extend.channel, release.channel, hearing.heard.length], ['extend', 'release', 2])
  assert.equal(extend.said.lock, release.message)
  const { name, fence, waitMs, heldMs } = release.said
  assert.deepEqual([name, fence, waitMs], ['a', lock.fence, undefined])
  assert.ok((heldMs as number) >= 3100)
})

test('what was granted and then given back has no error to tell of', async () => {
  using hearing = hearLocks()
  const asked = asking(site as never, 'a', {} as never)!
  asked.granted({ holder: { owner: 'me' } } as never)
  await assert.rejects(asked.until(Promise.reject(new Error('others are busy'))))
  assert.deepEqual(channelsOf(hearing.heard), ['acquire', 'grant'])
})

test('where nobody subscribes nothing is made', async () => {
  const begin = () => asking(site as never, 'a', {} as never)
  assert.equal(begin(), undefined)
  for (const channel of ['acquire', 'wait', 'grant', 'error']) {
    using _ = hearLocks([channel])
    assert.notEqual(begin(), undefined, channel)
  }
  assert.equal(begin(), undefined)
})

test('what is published at once is published in the context of the caller; renewals are in that of nobody', async () => {
  const storage = new AsyncLocalStorage<string>()
  const driver = store(new Store({ memory: '8mb' }))
  const locks = createLocks(driver)
  const contexts: unknown[] = []
  const renewals: unknown[] = []
  const extend = driver.extend.bind(driver)
  driver.extend = (...given) => {
    renewals.push(storage.getStore())
    return extend(...given)
  }
  const hearing = hearLocks(['acquire', 'grant', 'release'])
  hearing.heard.push = (...heard) => contexts.push(...heard.map(({ channel }) => [channel, storage.getStore()]))
  await storage.run('caller', async () => {
    await using _ = await locks.acquire('a', { ttl: 600 })
    await eventually('it is renewed', async () => renewals.length > 0)
  })
  hearing[Symbol.dispose]()
  assert.deepEqual(contexts, [
    ['acquire', 'caller'],
    ['grant', 'caller'],
    ['release', 'caller'],
  ])
  assert.deepEqual([...new Set(renewals)], [undefined])
  await locks.close()
})

function omit(object: Record<string, unknown>, key: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key))
}
