/** Places of those who wait: none is kept for nothing. And the moment that the life of what is handed over counts from. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Store, StoreLockTimeoutError, Table, TooManyWaitersError } from 'latchkey/store'
import { Bytes } from '#dist/store/bytes.js'
import { Stripe } from '#dist/store/layout.js'
import { ownerWord } from '#dist/store/lock.js'
import { Memory } from '#dist/store/memory.js'
import { type Outcome, removeOptions, writeOptions } from '#dist/store/types.js'
import { WaiterState } from '#dist/store/waiter-layout.js'
import { censusOf } from '#dist/store/waiters.js'
import { VirtualClock } from './virtual-clock.js'

const LONG_MS = 20_000

function keyOf(table: Table, text: string) {
  const key = table.newKey()
  key.setBytes(new Bytes(Buffer.from(text)), 0, text.length)
  return key
}

function bind(table: Table, text: string): Outcome {
  const key = keyOf(table, text)
  const bindings = table.newBindings()
  const binding = bindings.reserve(key)
  assert.notEqual(binding, 0, `a place to bind ${text}`)
  const outcome = table.write(key, Bytes.allocate(1), 0, 1, { ...writeOptions(), bindTo: binding })
  bindings.keep(binding)
  return outcome
}

test('bindings of items that are gone leave their places to others, whosever they are', async () => {
  const clock = new VirtualClock()
  const table = Table.create({ memory: '1mb' }, clock)
  const store = new Store(table)
  const places = store.stats().waitersMax
  for (let i = 0; i < 3 * places; i++) {
    clock.advance(1)
    table.tick()
    bind(table, `bound${i}`)
    table.remove(keyOf(table, `bound${i}`), removeOptions())
  }
  while (censusOf(new Memory(store.handle.memory))[WaiterState.Free]! > 0) {
    bind(table, 'again')
    table.remove(keyOf(table, 'again'), removeOptions())
  }
  clock.advance(1000)
  store.set('k', 'held')
  const waiting = store.claimOrWait('k', 'mine', { waitMs: LONG_MS })
  store.delete('k')
  assert.ok(await waiting)
  store.close()
})

test('bindings of items that live keep their places', async () => {
  const clock = new VirtualClock()
  const table = Table.create({ memory: '1mb' }, clock)
  const store = new Store(table)
  const places = store.stats().waitersMax
  for (let i = 0; i < places; i++) bind(table, `bound${i}`)
  store.set('k', 'held')
  for (let i = 0; i < 2; i++) {
    await assert.rejects(store.claimOrWait('k', 'mine', { waitMs: LONG_MS }), TooManyWaitersError)
    clock.advance(1000)
  }
  assert.equal(censusOf(new Memory(store.handle.memory))[WaiterState.Bound], places)
  store.close()
})

test('an add that cannot begin to wait keeps no place', async () => {
  const clock = new VirtualClock()
  const table = Table.create({ memory: '1mb' }, clock, { casFloor: 0n, graceMs: 0, maxLeaseMs: 60_000 })
  const memory = new Memory(table.handle.memory)
  const setLocks = (word: number) => {
    for (let stripe = 0; stripe < memory.stripes; stripe++) memory.control[memory.stripeAt(stripe) + Stripe.Lock] = word
  }
  // While the lease is written down, another thread dies inside of an operation.
  table.keepLeases({ write: () => setLocks(ownerWord(200)), wallMs: () => clock.now() })
  const store = new Store(table)
  store.claim('latchkey:lock:k', 'a')
  const refused = store.claimOrWait('latchkey:lock:k', 'b', { ttlMs: 30_000, waitMs: LONG_MS })
  await assert.rejects(refused, StoreLockTimeoutError)
  setLocks(0)
  assert.equal(censusOf(memory)[WaiterState.Free], memory.waiters)
  store.close()
})

test('what is handed over lives from no sooner than its waiter came, however old the batch that hands it over', async () => {
  const clock = new VirtualClock()
  const inherited = { casFloor: 0n, graceMs: 0, maxLeaseMs: 1000 }
  const holder = Table.create({ memory: '1mb' }, clock, inherited)
  for (const [name, key] of [
    ['plain', 'k'],
    ['as long a lease as may be', 'latchkey:lock:k'],
  ] as const) {
    const keeper = { write: () => undefined, wallMs: () => clock.now() }
    holder.keepLeases(keeper)
    const table = Table.attach(holder.handle, clock)
    table.keepLeases(keeper)
    const store = new Store(table)
    store.claim(key, 'a')
    holder.tick()
    assert.ok(holder.nowMs > 0, 'its batch has begun')
    clock.advance(500)
    const waiting = store.claimOrWait(key, 'b', { ttlMs: 1000, waitMs: LONG_MS })
    holder.remove(keyOf(holder, key), removeOptions())
    assert.equal((await waiting)?.waitedMs, 0)
    assert.equal(store.gets(key)?.ttlMs, 1000, name)
    store.close()
  }
  holder.close()
})
