/** Permits on several servers, some of which cannot be asked. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  LockAmbiguousError,
  LockArgumentError,
  LockBusyError,
  type LockDriver,
  LockUnavailableError,
} from 'latchkey/locks'
import { Locks } from '#dist/locks/locks.js'
import { virtualEnvironment } from '../support/model.js'
import { type Fate, ModelDriver } from '../support/model-driver.js'
import { ModelServer } from '../support/model-server.js'
import { VirtualTime } from '../support/virtual-time.js'

/** A ring of model servers: the gate is on the last one, slots on all in turn. */
class Ring {
  readonly time = new VirtualTime()
  readonly servers: readonly ModelServer[]
  readonly members: readonly ModelDriver[]
  readonly locks: Locks

  constructor(count: number) {
    const { time } = this
    this.servers = Array.from({ length: count }, () => new ModelServer(time))
    this.members = this.servers.map((server) => new ModelDriver({ time, server }))
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
    this.locks = new Locks(driver, { deadlineMs: 300 }, virtualEnvironment(time))
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
