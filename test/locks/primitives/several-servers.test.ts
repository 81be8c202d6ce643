/** Permits on several servers, some of which cannot be asked. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  LockAmbiguousError,
  LockArgumentError,
  LockBusyError,
  type LockDriver,
  type LockError,
  LockUnavailableError,
} from 'latchkey/locks'
import { Locks } from '#dist/locks/locks.js'
import { virtualEnvironment } from '../support/model.js'
import { type Fate, ModelDriver } from '../support/model-driver.js'
import { ModelServer } from '../support/model-server.js'
import { VirtualTime } from '../support/virtual-time.js'

const GATE = 'latchkey:lock:pool/gate'

/** A ring of model servers: the gate is on the last one, slots on all in turn. */
class Ring {
  readonly time = new VirtualTime()
  readonly servers: readonly ModelServer[]
  readonly members: readonly ModelDriver[]
  readonly locks: Locks

  constructor(count: number, queues = false) {
    const { time } = this
    this.servers = Array.from({ length: count }, () => new ModelServer(time))
    this.members = this.servers.map((server) => new ModelDriver({ time, server, queues }))
    const at = (key: string) => this.members[/\d$/.test(key) ? Number(key.at(-1)) % count : count - 1]
    const driver: LockDriver = {
      kind: 'ring',
      claim: (claim, call) => at(claim.key).claim(claim, call),
      extend: (lease, ttlMs, call) => at(lease.key).extend(lease as never, ttlMs, call),
      release: (key, version, call) => at(key).release(key, version as bigint, call),
      find: (key, call) => at(key).find(key, call),
      list: () => assert.fail('nobody asks'),
      facts: () => assert.fail('nobody asks'),
      close: async () => {},
    }
    this.locks = new Locks(driver, { deadlineMs: 300, label: 'test' }, virtualEnvironment(time))
  }

  lose(members: readonly number[], loss: Fate['loss']): void {
    for (const member of members) this.members[member].fates = () => ({ loss })
  }

  semaphore() {
    return this.locks.semaphore('pool', { permits: 6 })
  }
}

for (const loss of ['refused', 'request', 'reply'] as const) {
  test(`a server that is away (${loss}) takes its permits with it, and no others`, async () => {
    const ring = new Ring(3)
    ring.lose([0], loss)
    const names: string[] = []
    for (let i = 0; i < 4; i++) names.push((await ring.time.settled(ring.semaphore().acquire())).name)
    assert.deepEqual(names.sort(), ['pool/1', 'pool/2', 'pool/4', 'pool/5'])
    await assert.rejects(ring.time.settled(ring.semaphore().acquire()), LockBusyError)
    const { holders, unknown } = await ring.time.settled(ring.semaphore().inspect())
    assert.deepEqual([holders.length, unknown], [4, 2])
  })
}

test('where no server can be asked that is said', async () => {
  for (const [loss, Wanted] of [['refused', LockUnavailableError] as const, ['drop', LockAmbiguousError] as const]) {
    const ring = new Ring(3)
    ring.lose([0, 1, 2], loss)
    await assert.rejects(
      ring.time.settled(ring.semaphore().acquire()),
      (error) => error instanceof Wanted && error.lock === 'pool',
    )
    await assert.rejects(ring.time.settled(ring.semaphore().inspect()), LockUnavailableError)
  }
})

test('without the gate one waits for a permit all the same, and only the order is lost', async () => {
  const ring = new Ring(3)
  ring.lose([2], 'refused')
  const semaphore = ring.semaphore()
  const permits = []
  for (let i = 0; i < 4; i++) permits.push(await ring.time.settled(semaphore.acquire()))
  const waiting = semaphore.acquire({ wait: '1m' })
  await ring.time.advance(5000)
  void permits[1].release()
  assert.equal((await ring.time.settled(waiting)).name, permits[1].name)
})

for (const loss of ['request', 'reply', 'drop'] as const) {
  test(`nor does a gate of which nobody hears (${loss}) keep from the others' permits`, async () => {
    const ring = new Ring(3, loss === 'drop')
    const semaphore = ring.semaphore()
    const permits = await ring.time.settled(semaphore.acquire({ permits: 6, ttl: '1d' }))
    ring.lose([2], loss)
    const waiting = semaphore.acquire({ wait: '1h' })
    await ring.time.advance(60_000)
    const claims = ring.members[2].claims.filter(({ key }) => key === GATE)
    assert.ok(claims.length < 5, `${claims.length} claims, of which each leaves something to take away`)
    void permits.locks[1].release()
    const startedAt = ring.time.now()
    assert.equal((await ring.time.settled(waiting)).name, 'pool/1')
    assert.ok(ring.time.now() - startedAt < 5000, `${ring.time.now() - startedAt} ms`)
    await assert.rejects(
      ring.time.settled(semaphore.acquire({ wait: '10s' })),
      ({ code, lock }: LockError) => code !== 'LOCK_LOST' && lock === 'pool',
    )
    const again = semaphore.acquire({ wait: '1h' })
    await ring.time.advance(10_000)
    ring.lose([2], undefined)
    await ring.time.advance(10_000)
    assert.equal(ring.servers[2].get(GATE)?.holder.label, 'test', 'it stands in the gate again')
    void permits.locks[3].release()
    await ring.time.settled(again)
    await ring.time.advance(60_000)
    assert.equal(ring.servers[2].get(GATE), undefined)
  })
}

test("nor does one that dies with those who stand in its queue keep them from the others' permits", async () => {
  const ring = new Ring(3, true)
  const semaphore = ring.semaphore()
  const permits = await ring.time.settled(semaphore.acquire({ permits: 6, ttl: '1d' }))
  const gate = ring.servers[2].add(GATE, { owner: 'other' }, 1e9)!
  ring.members[2].fates = (kind) => ({ loss: kind === 'claim' ? 'drop' : undefined })
  const waiting = semaphore.acquire({ wait: '1h' })
  await ring.time.advance(1000)
  assert.equal(ring.servers[2].waiters(GATE), 1)
  ring.lose([2], 'refused')
  ring.servers[2].remove(GATE, gate.version)
  await ring.time.advance(5000)
  void permits.locks[1].release()
  const startedAt = ring.time.now()
  assert.equal((await ring.time.settled(waiting)).name, 'pool/1')
  assert.ok(ring.time.now() - startedAt < 5000, `${ring.time.now() - startedAt} ms`)
})

test('a permit is fresh when it is told of, however long the gate took to answer', async () => {
  for (const ttl of [100, 310, 400, 500]) {
    for (const fate of [{ loss: 'request' }, { requestMs: 200 }] as const) {
      const ring = new Ring(3)
      ring.members[2].fates = () => fate
      const semaphore = ring.semaphore()
      for (let i = 0; i < 4; i++) {
        const permit = await ring.time.settled(semaphore.acquire({ ttl }))
        assert.ok(permit.remainingMs() >= ttl / 3, `${permit.remainingMs()} of ${ttl} ms are left`)
        await ring.time.settled(permit.release())
      }
      ring.members[2].fates = () => undefined
      await ring.time.advance(10_000)
      for (const server of ring.servers) assert.deepEqual(server.keys(), [])
    }
  }
})

test('what one server can never do ends it all, and nothing of the others is left', async () => {
  const ring = new Ring(3)
  ring.members[0].claim = async () => {
    throw new LockArgumentError('never')
  }
  const acquiring = ring.semaphore().acquire({ permits: 6, wait: 2000 })
  await assert.rejects(
    ring.time.settled(acquiring),
    (error) => error instanceof LockArgumentError && error.lock === 'pool',
  )
  await ring.time.advance(100)
  for (const server of ring.servers) assert.deepEqual(server.keys(), [])
})

test('several at once, which need the gate, are not to be had without it; a writer needs all servers', async () => {
  const ring = new Ring(3)
  ring.lose([2], 'refused')
  const wait = { wait: 2000 }
  await assert.rejects(ring.time.settled(ring.semaphore().acquire({ permits: 2, ...wait })), LockUnavailableError)
  const other = new Ring(3)
  other.lose([1], 'refused')
  const lock = other.locks.readWrite('doc', { readers: 3 })
  await other.time.settled(lock.read())
  await assert.rejects(other.time.settled(lock.write(wait)))
  for (const { asked } of other.members) assert.ok(asked.claim < 100, `${asked.claim} claims`)
})
