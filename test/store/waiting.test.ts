/** Waiting for a key in one thread: who gets it, by what it becomes vacant, and the ends that are not a grant. No sweeper runs. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { setMaxListeners } from 'node:events'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  Store,
  StoreArgumentError,
  StoreClosedError,
  StoreMemoryError,
  type StoreOptions,
  Table,
  TooManyWaitersError,
  ValueTooLongToWaitError,
} from 'latchkey/store'
import { projectRoot } from '../support/root.js'
import { violations } from './invariants.js'
import { VirtualClock } from './virtual-clock.js'

/** Longer than any test takes: a wait that should end otherwise must not end by this. */
const LONG_MS = 20_000

function sweeperless(options: StoreOptions = {}): { table: Table; store: Store } {
  const table = Table.create({ memory: '1mb', ...options })
  return { table, store: new Store(table) }
}

const textOf = (store: Store, key: string) => {
  const value = store.get(key)
  return value && Buffer.from(value).toString()
}

const vacated: [name: string, act: (store: Store, table: Table) => void | Promise<void>][] = [
  ['delete', (store) => void store.delete('k')],
  ['compare-and-delete', (store) => void store.delete('k', store.gets('k')!.cas)],
  ['flush', (store) => store.flush()],
  [
    'a delayed flush',
    (store, table) => {
      store.flush(20)
      return delay(30).then(() => table.sweep())
    },
  ],
  [
    'a delayed flush that an add comes upon',
    (store) => {
      store.flush(20)
      return delay(30).then(() => assert.equal(store.add('k', 'barging'), false))
    },
  ],
  ['touch with a negative time', (store) => void store.touch('k', -1)],
  ['cas with a negative time', (store) => void store.cas('k', 'x', store.gets('k')!.cas, { ttlMs: -1 })],
  ['set with a negative time', (store) => store.set('k', 'x', { ttlMs: -1 })],
  ['touch with a short time', (store) => void store.touch('k', 30)],
  ['swap with a short time', (store) => void store.swap('k', 'x', store.gets('k')!.cas, { ttlMs: 30 })],
  [
    'a set refused for its size',
    (store) => {
      assert.throws(() => store.set('k', 'x'.repeat(600_000)))
    },
  ],
  [
    'eviction',
    (store) => {
      for (let i = 0; store.stats().handOvers === 0 && i < 20_000; i++) {
        store.set(`filler${i}`, 'x'.repeat(1000))
        // What was read is moved to the main queue, which then has to give something up as well.
        store.get(`filler${i}`)
      }
    },
  ],
]

for (const [name, act] of vacated) {
  test(`handed over by ${name}`, async () => {
    const { table, store } = sweeperless()
    store.set('k', 'first', { ttlMs: 10 * LONG_MS })
    const before = store.gets('k')!.cas
    const waiting = store.claimOrWait('k', 'second', { ttlMs: 5000, flags: 9, waitMs: LONG_MS })
    assert.equal(store.waiting('k'), 1)
    await act(store, table)
    const claimed = await waiting
    assert.ok(claimed, 'it was granted')
    assert.ok(claimed.cas > before)
    const entry = store.gets('k')!
    assert.deepEqual([Buffer.from(entry.value).toString(), entry.flags, entry.cas], ['second', 9, claimed.cas])
    assert.ok(entry.ttlMs > 0 && entry.ttlMs <= 5000, `${entry.ttlMs} ms are left`)
    assert.equal(store.waiting('k'), 0)
    assert.deepEqual(violations(store.handle), [])
    store.close()
  })
}

test('handed over when the item expires, at once and in turn, with no sweep', async () => {
  const { store } = sweeperless()
  store.add('k', '0', { ttlMs: 40 })
  const order: number[] = []
  const waits = [1, 2, 3].map(async (i) => {
    const claimed = await store.claimOrWait('k', String(i), { ttlMs: 40, waitMs: LONG_MS })
    order.push(i)
    return claimed!
  })
  const claims = await Promise.all(waits)
  assert.deepEqual(order, [1, 2, 3])
  assert.ok(claims[0]!.cas < claims[1]!.cas && claims[1]!.cas < claims[2]!.cas)
  // Rounded down, each counts from its own call to its own grant.
  assert.ok(claims[2]!.waitedMs >= 3 * 40 - 5 && claims[2]!.waitedMs < 60_000, `${claims[2]!.waitedMs}`)
  store.close()
})

test('a holder with a shorter life than the one before it is noticed when that ends', async () => {
  const { store } = sweeperless()
  store.add('k', 'a')
  const short = store.claimOrWait('k', 'b', { ttlMs: 30, waitMs: LONG_MS })
  const last = store.claimOrWait('k', 'c', { waitMs: LONG_MS })
  store.delete('k')
  await short
  assert.ok(await last)
  store.close()
})

test('when the first in the queue leaves, the next one looks out for the end of the item', async () => {
  const { store } = sweeperless()
  store.add('k', 'a')
  const abort = new AbortController()
  const first = store.claimOrWait('k', 'b', { waitMs: LONG_MS, signal: abort.signal })
  const second = store.claimOrWait('k', 'c', { waitMs: LONG_MS })
  store.touch('k', 60)
  await delay(10)
  abort.abort()
  await assert.rejects(first, { name: 'AbortError' })
  assert.ok(await second)
  store.close()
})

test('no add comes before those who wait, also when it is the one to find the item expired', async () => {
  const { store } = sweeperless()
  store.add('k', 'a', { ttlMs: 20 })
  const waiting = store.claimOrWait('k', 'b', { waitMs: LONG_MS })
  const until = performance.now() + 25
  // The event loop does not turn: no timer of the wait can go off before the add.
  while (performance.now() < until);
  assert.equal(store.add('k', 'barging'), false)
  assert.equal(textOf(store, 'k'), 'b')
  assert.ok(await waiting)
  store.close()
})

test('a replaced item keeps its queue waiting', async () => {
  const { store } = sweeperless()
  store.set('k', 'a')
  const waiting = store.claimOrWait('k', 'b', { waitMs: 60 })
  store.set('k', 'c')
  store.append('k', 'd')
  store.swap('k', 'e', store.gets('k')!.cas, { ttlMs: LONG_MS })
  assert.equal(await waiting, undefined)
  assert.equal(textOf(store, 'k'), 'e')
  assert.equal(store.stats().waitsTimedOut, 1)
  assert.equal(store.stats().waiters, 0)
  store.close()
})

test('two keys of one stripe have queues of their own', async () => {
  const { store } = sweeperless()
  // One stripe: a megabyte has four.
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
  for (const key of keys) store.set(key, 'a')
  const ends = keys.map((key) => store.claimOrWait(key, 'b', { waitMs: LONG_MS }))
  const late = keys.map((key) => store.claimOrWait(key, 'c', { waitMs: LONG_MS }))
  for (const key of [...keys].reverse()) {
    store.delete(key)
    assert.equal(textOf(store, key), 'b')
    for (const other of keys) assert.ok(store.get(other))
  }
  await Promise.all(ends)
  store.flush()
  for (const claimed of await Promise.all(late)) assert.ok(claimed)
  assert.deepEqual(violations(store.handle), [])
  store.close()
})

test('who is handed an item that is over at once makes way for the next', async () => {
  const { store } = sweeperless()
  store.set('k', 'a')
  const over = store.claimOrWait('k', 'b', { ttlMs: -1, waitMs: LONG_MS })
  const next = store.claimOrWait('k', 'c', { waitMs: LONG_MS })
  store.delete('k')
  assert.ok(await over)
  assert.ok(await next)
  assert.equal(textOf(store, 'k'), 'c')
  store.close()
})

test('without memory for it a waiter is refused, and the next one is tried', async () => {
  const { store } = sweeperless({ pinnedShare: 0.001 })
  const key = 'latchkey:lock:k'
  store.set(key, 'a')
  const large = store.claimOrWait(key, 'x'.repeat(700), { waitMs: LONG_MS })
  const second = store.claimOrWait(key, 'y'.repeat(700), { waitMs: LONG_MS })
  const third = store.claimOrWait(key, 'z', { waitMs: LONG_MS })
  for (let i = 0; ; i++) {
    try {
      store.set(`latchkey:lock:${i}`, 'x'.repeat(60))
    } catch {
      break
    }
  }
  store.delete(key)
  await assert.rejects(large, StoreMemoryError)
  await assert.rejects(second, StoreMemoryError)
  assert.ok(await third)
  assert.equal(store.stats().waitsRefused, 2)
  store.close()
})

test('what cannot wait is told so, and changes nothing', async () => {
  const { store } = sweeperless()
  await assert.rejects(store.claimOrWait('k', 'x'.repeat(705), { waitMs: 1 }), ValueTooLongToWaitError)
  assert.equal(store.get('k'), undefined)
  assert.ok(await store.claimOrWait('k', 'x'.repeat(705)), 'without a wait any length goes')
  assert.equal(await store.claimOrWait('k', 'x'), undefined)
  await assert.rejects(store.claimOrWait('k', 'x', { waitMs: -1 }), StoreArgumentError)
  await assert.rejects(store.claimOrWait('k', 'x', { waitMs: 1, signal: AbortSignal.abort() }), { name: 'AbortError' })
  const places = store.stats().waitersMax
  const abort = new AbortController()
  const { signal } = abort
  setMaxListeners(0, signal)
  const all = Array.from({ length: places }, () => store.claimOrWait('k', 'x', { waitMs: LONG_MS, signal }))
  assert.equal(store.waiting('k'), places)
  await assert.rejects(store.claimOrWait('k', 'x', { waitMs: LONG_MS }), TooManyWaitersError)
  abort.abort()
  for (const end of await Promise.allSettled(all)) assert.equal(end.status, 'rejected')
  assert.equal(store.stats().waiters, 0)
  assert.equal(await store.claimOrWait('k', 'x', { waitMs: 1 }), undefined)
  assert.deepEqual(violations(store.handle), [])
  store.close()
})

test('a value of the greatest length and a key of the greatest length are handed over whole', async () => {
  const { store } = sweeperless()
  const key = 'k'.repeat(250)
  const value = Buffer.from(Array.from({ length: 704 }, (_, i) => i & 255))
  store.set(key, 'a')
  const waiting = store.claimOrWait(key, value, { waitMs: LONG_MS })
  store.delete(key)
  await waiting
  assert.deepEqual(Buffer.from(store.get(key)!), value)
  store.close()
})

test('an abort against a grant: it is given back, or the caller has it', async () => {
  const { store } = sweeperless()
  for (let round = 0; round < 2000; round++) {
    store.set('k', 'holder')
    const abort = new AbortController()
    const waiting = store.claimOrWait('k', 'mine', { waitMs: LONG_MS, signal: abort.signal })
    const settled = Promise.allSettled([waiting])
    const acts = [() => void store.delete('k'), () => abort.abort()]
    if (round % 2 === 0) acts.reverse()
    for (const act of acts) {
      act()
      if (round % 4 > 1) await delay(0)
    }
    const [end] = await settled
    if (end.status === 'fulfilled') assert.equal(store.gets('k')!.cas, end.value!.cas)
    // Aborted first, the holder keeps the key until the delete; granted first, it is given back. Either way it is free.
    else assert.equal(store.get('k'), undefined)
    store.delete('k')
  }
  assert.equal(store.stats().waiters, 0)
  store.close()
})

test('a key that becomes vacant while its waiter is still on the way into the wait is not lost', async () => {
  const clock = new VirtualClock()
  const table = Table.create({ memory: '1mb' }, clock)
  const store = new Store(table)
  const other = Store.attach(table.handle, clock)
  store.set('k', 'a')
  // Asked for when the waiter is in the queue, and before it listens: what another thread may do just then is done.
  const { now } = performance
  performance.now = () => {
    performance.now = now
    other.delete('k')
    return performance.now()
  }
  assert.ok(await store.claimOrWait('k', 'b', { waitMs: LONG_MS }))
  assert.equal(performance.now, now, 'it was asked')
  other.close()
  store.close()
})

test('closing the store ends the waits of its thread', async () => {
  const { table, store } = sweeperless()
  store.set('k', 'a')
  const other = Store.attach(table.handle)
  const waiting = other.claimOrWait('k', 'b', { waitMs: LONG_MS })
  const granted = other.claimOrWait('k2', 'b', { waitMs: LONG_MS })
  assert.ok(await granted)
  other.close()
  await assert.rejects(waiting, StoreClosedError)
  assert.equal(store.waiting('k'), 0)
  assert.ok(store.get('k2'), 'what it had is its own business')
  assert.deepEqual(violations(store.handle), [])
  store.close()
})

test('a program that waits stays alive until its wait is over', () => {
  const script = `
    import { Store } from 'latchkey/store'
    const store = new Store({ memory: '1mb' })
    store.set('k', 'a', { ttlMs: 100 })
    const claimed = await store.claimOrWait('k', 'b', { waitMs: 60_000 })
    console.log(claimed === undefined ? 'nothing' : 'granted', await store.claimOrWait('k', 'c', { waitMs: 20 }))`
  const line = ['--input-type=module', '-e', script]
  const said = execFileSync(process.execPath, line, { cwd: projectRoot, encoding: 'utf8' })
  assert.equal(said, 'granted undefined\n')
})

test('claim, swap and delete tell and compare tokens; pinned lists those that begin so', () => {
  const store = new Store({ memory: '1mb' })
  const first = store.claim('latchkey:lock:a', '1', { ttlMs: LONG_MS, flags: 3 })!
  assert.equal(store.claim('latchkey:lock:a', '2'), undefined)
  const second = store.swap('latchkey:lock:a', '3', first, { ttlMs: LONG_MS })
  assert.ok(typeof second === 'bigint' && second > first)
  assert.equal(store.swap('latchkey:lock:a', '4', first), 'exists')
  assert.equal(store.swap('none', '4', first), 'not-found')
  for (let i = 0; i < 200; i++) {
    store.set(`latchkey:lock:${i}`, 'x'.repeat(i * 5))
    store.set(`other${i}`, 'y')
  }
  for (let i = 0; i < 200; i += 3) store.delete(`latchkey:lock:${i}`)
  store.set('latchkey:lock:1', 'anew')
  store.set('latchkey:lock:over', 'x', { ttlMs: -1 })
  const found = new Map([...store.pinned('latchkey:lock:')].map((entry) => [entry.key, entry]))
  assert.equal(found.size, 1 + 133)
  assert.equal(found.get('latchkey:lock:a')!.cas, second)
  assert.equal(Buffer.from(found.get('latchkey:lock:1')!.value).toString(), 'anew')
  assert.deepEqual(
    [...store.pinned('latchkey:lock:a')].map(({ key, waiting }) => [key, waiting]),
    [['latchkey:lock:a', 0]],
  )
  assert.equal(store.delete('latchkey:lock:a', first), false)
  assert.equal(store.delete('latchkey:lock:a', second as bigint), true)
  store.close()
})
