/** A semaphore in virtual time: what is sent, in which order people are served, and what is left of failures. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import {
  type Lock,
  LockArgumentError,
  LockBusyError,
  type LockEvent,
  type LockGroup,
  LockLostError,
  LockUnavailableError,
  LockWaitTimeoutError,
} from 'latchkey/locks'
import { type Model, model } from '../support/model.js'
import type { Step } from '../support/model-driver.js'
import { processes } from './processes.js'

const PREFIX = 'latchkey:lock:'
const GATE = `${PREFIX}pool/gate`
const slotKey = (slot: number) => `${PREFIX}pool/${slot}`

const semaphoreOf = ({ locks }: Model, permits: number) => locks.semaphore('pool', { permits })

/** What others hold. */
function occupy({ server }: Model, slots: number, ttlMs = 1e6): void {
  for (let slot = 0; slot < slots; slot++) server.add(slotKey(slot), { owner: 'other', label: 'other' }, ttlMs)
}

function free({ server }: Model, slot: number): void {
  server.remove(slotKey(slot), server.get(slotKey(slot))!.version)
}

test('as many hold a permit as there are, and each is a lock of its own', async () => {
  const [m, other] = processes(2)
  const permits: Lock[] = []
  for (let i = 0; i < 3; i++) permits.push(await m.time.settled(semaphoreOf(m, 3).acquire()))
  assert.deepEqual(permits.map(({ name }) => name).sort(), ['pool/0', 'pool/1', 'pool/2'])
  for (const { name, fence } of permits) assert.equal(m.server.get(PREFIX + name)?.fence, fence)
  for (const { time, locks } of [m, other]) {
    const semaphore = locks.semaphore('pool', { permits: 3 })
    await assert.rejects(time.settled(semaphore.acquire()), (error: LockBusyError) => {
      assert.ok(error instanceof LockBusyError)
      assert.equal(error.lock, 'pool')
      assert.equal(error.holder?.label, 'test')
      return true
    })
    assert.equal(await time.settled(semaphore.tryAcquire()), undefined)
  }
  const moved = await m.time.settled(other.locks.restore(permits[1].serialize({ detach: true })))
  assert.equal(await m.time.settled(moved.release()), 'released')
  assert.ok(await m.time.settled(semaphoreOf(other, 3).tryAcquire()))
})

test('the holder is told also to one whose own process holds all', async () => {
  const m = model()
  const semaphore = semaphoreOf(m, 1)
  await m.time.settled(semaphore.acquire())
  await assert.rejects(m.time.settled(semaphore.acquire()), ({ holder }: LockBusyError) => holder?.label === 'test')
})

test('who finds a permit at once sends one claim, and looks at the gate in the same moment', async () => {
  const m = model()
  const startedAt = m.time.now()
  await m.time.settled(semaphoreOf(m, 50).acquire({ wait: '5s' }))
  assert.equal(m.time.now() - startedAt, 2)
  const { claim, find, release } = m.driver.asked
  assert.deepEqual([claim, find, release], [1, 1, 0])
})

test('a process looks for others than those that it holds itself', async () => {
  const m = model()
  const semaphore = semaphoreOf(m, 20)
  for (let i = 0; i < 20; i++) await m.time.settled(semaphore.acquire())
  assert.equal(m.driver.asked.claim, 20)
})

test('who finds none is told in two round trips, however many permits there are', async () => {
  const m = model()
  occupy(m, 30)
  const startedAt = m.time.now()
  assert.equal(await m.time.settled(semaphoreOf(m, 30).tryAcquire()), undefined)
  assert.equal(m.time.now() - startedAt, 4)
  assert.equal(m.driver.asked.claim, 1)
})

for (const queues of [true, false]) {
  const how = queues ? 'a queue' : 'polling'
  test(`who waits gets what is released, with ${how}: one at a time, and each in a process of its own`, async () => {
    const all = processes(6, { queues })
    const [{ time }] = all
    occupy(all[0], 2)
    let got = 0
    const waiting = all.map(async (m) => {
      const permit = await semaphoreOf(m, 2).acquire({ wait: '1m' })
      got++
      return permit
    })
    await time.advance(100)
    assert.equal(got, 0)
    free(all[0], 1)
    await time.advance(2000)
    assert.equal(got, 1)
    free(all[0], 0)
    await time.advance(2000)
    assert.equal(got, 2)
    const ending = waiting.map(async (each) => (await each).release())
    assert.deepEqual(new Set(await time.settled(Promise.all(ending))), new Set(['released']))
  })
}

test('first come, first served, where the driver has queues', async () => {
  const all = processes(8, { queues: true })
  const [{ time }] = all
  occupy(all[0], 3)
  const order: number[] = []
  const waiting = all.map(async (m, i) => {
    await new Promise<void>((resolve) => time.timer(i * 20, () => resolve()))
    const permit = await semaphoreOf(m, 3).acquire({ wait: '1m' })
    order.push(i)
    time.timer(30, () => permit.release())
  })
  await time.advance(500)
  for (const slot of [2, 0, 1]) {
    free(all[0], slot)
    await time.advance(10)
  }
  await time.settled(Promise.all(waiting))
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7])
})

test('who waits in line has one wait on the server, and nobody but the first is at the permits', async () => {
  const all = processes(5, { queues: true })
  occupy(all[0], 4)
  const waiting = all.map((m) => semaphoreOf(m, 4).acquire({ wait: '1m' }))
  await all[0].time.advance(1000)
  const { server } = all[0]
  assert.equal(server.waiters(GATE), 4)
  assert.equal(
    [0, 1, 2, 3].map((slot) => server.waiters(slotKey(slot))).reduce((a, b) => a + b),
    1,
  )
  for (let slot = 0; slot < 4; slot++) free(all[0], slot)
  const permits = all[0].time.settled(Promise.all(waiting.slice(0, 4)))
  await (await permits)[0].release
  await all[0].time.settled(permits.then(([first]) => first.release()))
  await all[0].time.settled(Promise.all(waiting))
})

test('nobody who comes later takes a permit that is free while others wait', async () => {
  const m = model()
  const theirs = m.server.add(GATE, { owner: 'first' }, 60_000)!
  const semaphore = semaphoreOf(m, 3)
  // The first time both are asked at once, and what was got is given back; then the gate is asked first.
  for (const claims of [1, 1]) {
    await assert.rejects(m.time.settled(semaphore.acquire()), LockBusyError)
    assert.equal(m.driver.asked.claim, claims)
    for (const slot of [0, 1, 2]) assert.equal(m.server.get(slotKey(slot)), undefined)
  }
  m.server.remove(GATE, theirs.version)
  assert.ok(await m.time.settled(semaphore.tryAcquire()))
})

test('who died waiting holds the others up no longer than its lease of the gate lasts', async () => {
  const all = processes(2, { queues: true })
  const [dead, m] = all
  occupy(m, 1)
  void semaphoreOf(dead, 1)
    .acquire({ ttl: '10m', wait: '1h' })
    .catch(() => {})
  await m.time.advance(100)
  // From here on nothing of it arrives.
  dead.driver.fates = () => ({ loss: 'request' })
  const waiting = semaphoreOf(m, 1).acquire({ wait: '1h' })
  await m.time.advance(100)
  free(m, 0)
  const startedAt = m.time.now()
  // The dead one was the first at the permit as well, and has a lease of it.
  const holder = m.server.get(slotKey(0))
  if (holder !== undefined) m.server.remove(slotKey(0), holder.version)
  await m.time.settled(waiting)
  assert.ok(m.time.now() - startedAt <= 11_000, `${m.time.now() - startedAt} ms`)
})

test('the permit of a holder that died comes back when its lease is over', async () => {
  for (const queues of [true, false]) {
    const m = model({ queues })
    occupy(m, 2, 3000)
    const startedAt = m.time.now()
    await m.time.settled(semaphoreOf(m, 2).acquire({ wait: '1m' }))
    const tookMs = m.time.now() - startedAt
    assert.ok(tookMs >= 3000 && tookMs < 3300, `${tookMs} ms`)
  }
})

test('who has lost the gate is not in it any more, and waits for it once more', async () => {
  for (const queues of [true, false]) {
    const all = processes(2, { queues })
    const [m, other] = all
    occupy(m, 2)
    const waiting = semaphoreOf(m, 2).acquire({ permits: 2, wait: '1h' })
    await m.time.advance(1000)
    free(m, 0)
    await m.time.advance(1000)
    assert.equal(m.server.get(slotKey(0))?.holder.label, 'test', 'the first of two permits')
    const inGate = m.server.get(GATE)!.holder.owner
    // Somebody else is in the gate, and needs both as well.
    m.server.remove(GATE, m.server.get(GATE)!.version)
    const theirs = semaphoreOf(other, 2).acquire({ permits: 2, wait: '1h' })
    await m.time.advance(20_000)
    assert.notEqual(m.server.get(GATE)?.holder.owner, inGate)
    free(m, 1)
    const both = [waiting, theirs].map(async (each) => {
      const group = await each
      assert.equal(group.state, 'held')
      await group.release()
    })
    await m.time.settled(Promise.all(both))
  }
})

test('who gives up while it gives back what it had with a lost gate is told its own reason', async () => {
  const giving = new AbortController()
  const reason = new Error('enough')
  let isGone = false
  const step: Step = (kind, phase) => {
    if (isGone && kind === 'release' && phase === 'arriving') giving.abort(reason)
  }
  const m = model({ queues: true, step })
  occupy(m, 2)
  const waiting = semaphoreOf(m, 2).acquire({ permits: 2, wait: '1h', ttl: '3s', signal: giving.signal })
  await m.time.advance(100)
  free(m, 0)
  await m.time.advance(1000)
  m.server.remove(GATE, m.server.get(GATE)!.version)
  isGone = true
  await assert.rejects(m.time.settled(waiting), (error) => error === reason)
  await m.time.advance(20_000)
  assert.deepEqual(m.server.keys(), [slotKey(1)])
})

test('a permit that is lost while others are waited for is had again, and the place in the gate kept', async () => {
  const m = model({ queues: true })
  occupy(m, 2)
  const waiting = semaphoreOf(m, 2).acquire({ permits: 2, wait: '1h', ttl: '3s' })
  await m.time.advance(100)
  free(m, 0)
  await m.time.advance(6000)
  const { holder } = m.server.get(GATE)!
  free(m, 0)
  m.server.add(slotKey(0), { owner: 'thief' }, 4000)
  await m.time.advance(2000)
  free(m, 1)
  const group = await m.time.settled(waiting)
  assert.equal(group.state, 'held')
  const inGate = m.server.deeds.filter(({ key, what }) => key === GATE && what === 'add')
  assert.deepEqual(
    inGate.map(({ owner }) => owner),
    [holder.owner],
  )
})

test('several permits: all or none, and nobody is harmed who asks in vain', async () => {
  const m = model()
  const semaphore = semaphoreOf(m, 5)
  const group: LockGroup = await m.time.settled(semaphore.acquire({ permits: 3 }))
  assert.equal(group.locks.length, 3)
  assert.equal(m.server.get(GATE), undefined)
  const { claim } = m.driver.asked
  assert.equal(await m.time.settled(semaphore.tryAcquire({ permits: 3 })), undefined)
  assert.equal(m.driver.asked.claim, claim + 1, 'the gate, and none of the two that are free')
  await assert.rejects(
    m.time.settled(semaphore.acquire({ permits: 3, wait: 2000 })),
    (error: LockWaitTimeoutError) => error instanceof LockWaitTimeoutError && error.lock === 'pool',
  )
  assert.equal(m.server.keys().length, 3)
  const two = await m.time.settled(semaphore.acquire({ permits: 2 }))
  assert.equal(await m.time.settled(group.release()), 'released')
  assert.equal(await m.time.settled(two.release()), 'released')
  assert.deepEqual(m.server.keys(), [])
})

test('those who each want several never wait for each other in a ring', async () => {
  for (const queues of [true, false]) {
    const all = processes(6, { queues })
    const [{ time }] = all
    let most = 0
    let now = 0
    const working = all.map(async (m, i) => {
      for (let round = 0; round < 5; round++) {
        const permits = 1 + ((i + round) % 4)
        await using group = await semaphoreOf(m, 4).acquire({ permits, wait: '1h' })
        now += permits
        most = Math.max(most, now)
        await new Promise<void>((resolve) => time.timer(50, () => resolve()))
        now -= permits
        assert.equal(group.state, 'held')
      }
    })
    await time.settled(Promise.all(working))
    assert.ok(most > 1 && most <= 4, `${most} permits at a time`)
    await time.advance(1000)
    assert.deepEqual(all[0].server.keys(), [])
  }
})

test('permits that others are waited for are kept meanwhile, also those that are not renewed later', async () => {
  const m = model({ queues: true })
  const semaphore = semaphoreOf(m, 2)
  m.server.add(slotKey(1), { owner: 'other' }, 60_000)
  const options = { ttl: '3s', renew: false, wait: '1h', permits: 2 } as const
  const group = await m.time.settled(semaphore.acquire(options))
  assert.ok(m.time.now() >= 60_000)
  assert.ok(group.remainingMs() >= 1000, `${group.remainingMs()}`)
  const added = m.server.deeds.filter(({ what }) => what === 'add').map(({ key }) => key)
  assert.deepEqual(added, [slotKey(1), GATE, slotKey(0), slotKey(1)], 'each once')
  await m.time.advance(3100)
  assert.equal(group.state, 'lost')
  assert.deepEqual(m.server.keys(), [])
})

test('a permit is renewed for maxHold from when it was had, however long it was waited for', async () => {
  const m = model({ queues: true })
  occupy(m, 1, 60_000)
  const permit = await m.time.settled(semaphoreOf(m, 1).acquire({ ttl: '3s', maxHold: '10s', wait: '1h' }))
  await m.time.advance(9000)
  assert.equal(permit.state, 'held')
  await m.time.advance(6000)
  assert.equal(permit.state, 'lost')
})

test('the loss of a permit is told as that of any lock', async () => {
  const m = model()
  const semaphore = semaphoreOf(m, 2)
  const done = semaphore.using({ ttl: '3s' }, async (permit, signal) => {
    free(m, Number(permit.name.at(-1)))
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    assert.ok(signal.reason instanceof LockLostError)
    return permit.state
  })
  assert.equal(await m.time.settled(done), 'lost')
})

test('what becomes of a permit is told to those who subscribe, from its request to its release', async () => {
  const m = model({ queues: true })
  const semaphore = semaphoreOf(m, 2)
  const told: string[] = []
  const names = ['acquire', 'wait', 'grant', 'release', 'error'] as const
  const hear = names.map((what) => (event: unknown) => told.push(`${what} ${(event as LockEvent).name}`))
  for (const [i, what] of names.entries()) subscribe(`latchkey:lock:${what}`, hear[i])
  try {
    const one = await m.time.settled(semaphore.acquire())
    await assert.rejects(m.time.settled(semaphore.acquire({ permits: 2 })))
    await m.time.settled(one.release())
    assert.deepEqual(told.splice(0), ['acquire pool', 'grant pool', 'acquire pool', 'error pool', 'release pool'])
    const two = await m.time.settled(semaphore.acquire({ permits: 2, wait: '1s' }))
    await m.time.settled(two.release())
    const count = (what: string) => told.filter((each) => each.startsWith(what)).length
    assert.deepEqual([count('acquire'), count('grant'), count('release')], [2, 2, 2])
  } finally {
    for (const [i, what] of names.entries()) unsubscribe(`latchkey:lock:${what}`, hear[i])
  }
})

test('inspect tells who holds permits, and who is the next', async () => {
  const [m, other] = processes(2, { queues: true })
  const semaphore = semaphoreOf(m, 2)
  assert.deepEqual(await m.time.settled(semaphore.inspect()), { holders: [], gate: undefined, unknown: 0 })
  await m.time.settled(semaphore.acquire({ permits: 2 }))
  const waiting = semaphoreOf(other, 2).acquire({ wait: '1m', label: 'waiting' })
  await m.time.advance(100)
  const { holders, gate } = await m.time.settled(semaphore.inspect())
  assert.deepEqual(
    holders.map(({ name }) => name),
    ['pool/0', 'pool/1'],
  )
  assert.equal(gate?.label, 'waiting')
  free(m, 0)
  await m.time.settled(waiting)
})

test('closing ends those who wait, and releases what is held', async () => {
  for (const queues of [true, false]) {
    const m = model({ queues })
    const semaphore = semaphoreOf(m, 2)
    await m.time.settled(semaphore.acquire())
    const waiting = [
      semaphore.acquire({ permits: 2, wait: '1h' }),
      semaphore.acquire({ wait: '1h' }),
      semaphore.acquire({ permits: 2, wait: '1h' }),
    ]
    const ends = waiting.map((each) => assert.rejects(each, LockUnavailableError))
    await m.time.advance(5000)
    await m.time.settled(m.locks.close())
    await m.time.settled(Promise.all(ends))
    await m.time.advance(100)
    assert.deepEqual(m.server.keys(), [])
    await assert.rejects(semaphore.acquire(), LockUnavailableError)
  }
})

test('what no semaphore could be is refused before anything is sent', async () => {
  const { locks, driver } = model()
  for (const permits of [0, 257, 1.5, -1, '3', Number.NaN, undefined]) {
    assert.throws(() => locks.semaphore('pool', { permits: permits as number }), LockArgumentError)
  }
  assert.throws(() => locks.semaphore('pool', { permits: 3, size: 2 } as never), /no option size/)
  assert.throws(() => locks.semaphore('a b', { permits: 3 }), LockArgumentError)
  assert.throws(() => locks.semaphore('x'.repeat(196), { permits: 3 }), /1 to 200 bytes, not 201/)
  const semaphore = locks.semaphore('pool', { permits: 3 })
  for (const permits of [0, 4, 1.5]) await assert.rejects(semaphore.acquire({ permits }), /from 1 to 3/)
  await assert.rejects(semaphore.acquire({ tt: 3 } as never), /no option tt/)
  await assert.rejects(semaphore.acquire(null as never), LockArgumentError)
  await assert.rejects(semaphore.using(undefined as never), /function/)
  assert.equal(driver.asked.claim + driver.asked.find, 0)
})
