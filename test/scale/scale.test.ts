/** The simulation of scale, small: a lock takes the requests that it must take, one holds it at a time, and nothing is left of any. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as breath } from 'node:timers/promises'
import { type Lock, type LockDriver, LockWaitTimeoutError } from 'latchkey/locks'
import { counted } from './counted.js'
import { collectGarbage } from './memory.js'
import { Quantiles } from './quantiles.js'
import { ailing } from './scenarios/ailing.js'
import { contended } from './scenarios/contended.js'
import { held } from './scenarios/held.js'
import { type Terms, World } from './world.js'

const SEED = 7
const CLIENTS = 100
/** Longer than anything goes on behind anybody's back. */
const IDLE_MS = 70_000
const nothing = new Quantiles()

type Where = Omit<Terms, 'seed'>
type Setup = Where & { readonly requests: number }

/**
 * `requests` of one lock that nobody else wants. Latchkey: add, deletion. memcached: add and reading back, draw, swap and reading back,
 * deletion. A quorum's servers, on Latchkey: add, floor read and raised, deletion; on memcached: add and reading back, floor read and swapped, swap
 * and reading back, deletion; and where a vote came after the majority's, its version is looked up before the deletion.
 */
const setups: readonly Setup[] = [
  { home: 'latchkey', servers: 10, requests: 2 },
  { home: 'memcached', servers: 10, requests: 6 },
  { home: 'latchkey', servers: 3, quorum: true, requests: 13 },
  { home: 'memcached', servers: 3, quorum: true, requests: 22 },
]

for (const { requests, ...where } of setups) {
  test(`${nameOf(where)}: a lock that nobody else wants takes ${requests} requests, however many others there are`, async () => {
    const world = new World({ seed: SEED, ...where })
    const crew = world.addClients(CLIENTS)
    const round = async () => {
      await world.run(
        Promise.all(
          crew.map(async (client, nth) => {
            await world.sleep(nth)
            await client.release(await client.acquire(`own:${nth}`, nothing), nothing)
          }),
        ),
      )
      await world.run(world.sleep(1000))
    }
    // Connections are opened, and servers asked how they are.
    await round()
    const { arrived } = world
    await round()
    const sent = (world.arrived - arrived) / CLIENTS
    if (where.quorum) assert.ok(sent > requests - 1 && sent <= requests, `${sent} requests`)
    else assert.equal(sent, requests)
    for (const { connectionsMost } of world.hosts)
      assert.ok(connectionsMost <= CLIENTS, 'one connection of each client')
    await world.close()
  })
}

test('a majority of memcacheds gives 400 names to 400 clients at one moment: their fences do not hinder each other', async () => {
  const world = new World({ seed: SEED, home: 'memcached', servers: 3, quorum: true })
  const crew = world.addClients(400)
  const locks = await world.run(Promise.all(crew.map((client, nth) => client.acquire(`own:${nth}`, nothing))))
  assert.equal(locks.filter(({ state }) => state === 'held').length, crew.length)
  await world.close()
})

test('Latchkey, 60 want one lock: one after the other has it, in the order in which they asked', async () => {
  const row = await contended({ seed: SEED, home: 'latchkey', servers: 1 }, 60)
  assert.equal(row.handOver.count, 60)
  assert.equal(row.overtakenMost, 0)
  assert.equal(row.waitingRequestsPerSecond, 0)
})

test('a majority of Latchkeys, 30 want one lock: one after the other has it', async () => {
  const row = await contended({ seed: SEED, home: 'latchkey', servers: 3, quorum: true }, 30)
  assert.equal(row.handOver.count, 30)
})

test('who polls a majority of Latchkeys sends each of them two requests a poll, and raises no floor', async () => {
  const world = new World({ seed: SEED, home: 'latchkey', servers: 3, quorum: true })
  let claims = 0
  const wrap = (driver: LockDriver, server: number) =>
    server === 0
      ? counted(
          driver,
          () => undefined,
          () => claims++,
        )
      : driver
  const [holder, waiter] = world.addClients(2, { wrap })
  for (const client of [holder, waiter]) {
    const lock = await world.run(client.acquire(`own:${client.machine.who}`, nothing))
    await world.run(client.release(lock, nothing))
  }
  await world.run(holder.acquire('wanted', nothing))
  await world.run(world.sleep(100))
  const [host] = world.hosts
  const { arrived } = host
  claims = 0
  await assert.rejects(world.run(waiter.acquire('wanted', nothing, 3000)), LockWaitTimeoutError)
  await world.run(world.sleep(100))
  assert.ok(claims > 10, `${claims} claims`)
  // The first comes with the floor, read and raised, and is followed by the question who holds it.
  assert.equal(host.arrived - arrived, 4 + 2 * (claims - 1))
  await world.close()
})

test('of a dead server of three nobody is asked more than once a lock, and nothing goes on behind', async () => {
  const terms = { seed: SEED, home: 'latchkey', servers: 3 } as const
  const row = await ailing(terms, { ailment: 'dead', clients: 10, pauseMs: 100, forMs: 5000 })
  assert.equal(row.failed, 0)
  // It is not yet known to be gone when the first are released.
  assert.ok(row.callsPerLock >= 1 && row.callsPerLock < 2, `${row.callsPerLock} calls a lock`)
})

test('renewals are one request each, every third of the lease, and no lock is lost', async () => {
  const where = { home: 'latchkey', servers: 10 } as const
  const row = await held({ seed: SEED, ...where }, { clients: 50, locksAClient: 20, overMs: 5000 })
  assert.equal(row.locks, 1000)
  // The pause is a third of the lease, and the round trip comes on top: a few are due just after.
  assert.ok(row.requestsPerRenewal > 0.99 && row.requestsPerRenewal <= 1, `${row.requestsPerRenewal} requests`)
  assert.equal(row.lost, 0)
})

for (const where of [
  { home: 'latchkey', servers: 3 },
  { home: 'latchkey', servers: 3, quorum: true },
] as const) {
  test(`${nameOf(where)}: of locks that are released nothing is left, at clients that go on nor at servers`, async () => {
    const world = new World({ seed: SEED, ...where })
    const crew = world.addClients(40)
    const names = ['wanted', 'wanted-too']
    const released: WeakRef<Lock>[] = []
    const play = async (client: (typeof crew)[number], nth: number) => {
      for (const name of [...names, `own:${nth}`]) {
        const lock = await client.acquire(name, nothing, 600_000)
        released.push(new WeakRef(lock))
        await client.release(lock, nothing)
      }
    }
    await world.run(Promise.all(crew.map(play)))
    await world.run(world.sleep(IDLE_MS))
    assert.equal(world.time.waiting, 0, 'a timer is set')
    for (const { connections } of world.hosts) assert.ok(connections <= crew.length, `${connections} connections`)
    for (const host of world.hosts) {
      for (const name of names) assert.equal(host.has(`latchkey:lock:${name}`), false)
      for (const nth of crew.keys()) assert.equal(host.has(`latchkey:lock:own:${nth}`), false)
    }
    await breath()
    collectGarbage()
    const alive = released.filter((lock) => lock.deref() !== undefined).length
    assert.ok(alive <= crew.length / 10, `${alive} of ${released.length} released locks are still there`)
    await world.close()
  })
}

function nameOf({ home, servers, quorum }: Where): string {
  const kind = `${servers} ${home === 'latchkey' ? 'Latchkeys' : 'memcacheds'}`
  return quorum ? `a majority of ${kind}` : kind
}
