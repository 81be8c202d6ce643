/** Writes with fences: an older holder of a lock cannot undo what a newer one wrote. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bytes, Store, StoreArgumentError, StoreFenceError, StoreMemoryError, Table } from 'latchkey/store'
import { violations } from './invariants.js'
import { Random } from './random.js'
import { VirtualClock } from './virtual-clock.js'

const textOf = (store: Store, key: string) => {
  const value = store.get(key)
  return value && Buffer.from(value).toString()
}
const DAY_MS = 86_400_000

test('the older fence loses, whatever the key', () => {
  const store = new Store({ memory: '8mb' })
  for (let length = 1; length <= 235; length++) {
    const key = 'k'.repeat(length)
    assert.ok(store.setFenced(key, 'seven', 7n))
    assert.ok(!store.setFenced(key, 'six', 6n))
    assert.ok(!store.deleteFenced(key, 6n))
    assert.equal(textOf(store, key), 'seven')
    assert.ok(store.setFenced(key, 'again', 7n), 'one holder writes more than once')
    assert.ok(store.deleteFenced(key, 8n))
    assert.ok(!store.setFenced(key, 'seven', 7n))
    assert.ok(store.deleteFenced(key, 8n), 'nothing there is as good as deleted')
  }
  store.set('a', 'plain writes have no fence')
  assert.deepEqual(violations(store.handle), [])
  store.close()
})

test('a register lies in the stripe of its key', () => {
  const table = Table.create({ memory: '16mb' })
  const random = new Random(5)
  const key = table.newKey()
  for (let i = 0; i < 3000; i++) {
    const text = Array.from({ length: 1 + random.below(235) }, () => String.fromCharCode(33 + random.below(90))).join(
      '',
    )
    const stripeOf = (name: string) => {
      key.setBytes(new Bytes(Buffer.from(name)), 0, name.length)
      return key.stripe
    }
    // A longer key before must leave no trace in the next.
    stripeOf('#'.repeat(250))
    assert.equal(stripeOf(`latchkey:fence:${text}`), stripeOf(text), text)
  }
  table.close()
})

test('a register outlives its item by a day, lives as long as its item, and no longer than 30 days', () => {
  const clock = new VirtualClock()
  const store = new Store({ memory: '2mb' }, clock)
  clock.advance(1000)
  store.setFenced('short', 'x', 7n, { ttlMs: 1000 })
  store.setFenced('long', 'x', 7n, { ttlMs: 5 * DAY_MS })
  store.setFenced('endless', 'x', 7n)
  clock.advance(DAY_MS - 1)
  assert.equal(store.get('short'), undefined)
  assert.ok(!store.setFenced('short', 'y', 6n))
  clock.advance(1)
  assert.ok(store.setFenced('short', 'y', 6n))
  clock.advance(4 * DAY_MS - 1)
  assert.ok(!store.setFenced('long', 'y', 6n))
  assert.ok(!store.setFenced('endless', 'y', 6n))
  clock.advance(20 * DAY_MS)
  assert.ok(store.setFenced('endless', 'y', 7n), 'and this renews it')
  clock.advance(29 * DAY_MS)
  assert.ok(!store.setFenced('endless', 'z', 6n))
  clock.advance(DAY_MS + 1)
  assert.ok(store.setFenced('endless', 'z', 6n))
  store.close()
})

test('where there is no room for a register nothing is written', () => {
  const store = new Store({ memory: '1mb', pinnedShare: 0.001 })
  store.set('k', 'old')
  let noted = 0
  assert.throws(() => {
    for (; noted < 1000; noted++) store.setFenced(`k${noted}`, 'x', 1n)
  }, StoreMemoryError)
  assert.ok(noted > 2 && noted < 100, `${noted}`)
  assert.throws(() => store.setFenced('k', 'new', 1n), StoreMemoryError)
  assert.throws(() => store.deleteFenced('k', 1n), StoreMemoryError)
  assert.equal(textOf(store, 'k'), 'old')
  store.close()
})

test('registers are not evicted and not flushed', () => {
  const store = new Store({ memory: '2mb' })
  store.setFenced('k', 'x', 9n)
  store.set('latchkey:register:k', 'kept')
  for (let i = 0; i < 5000; i++) store.set(`f${i}`, 'x'.repeat(1000))
  assert.ok(store.stats().evictions > 0)
  assert.ok(!store.setFenced('k', 'y', 8n))
  store.flush()
  assert.equal(store.get('k'), undefined)
  assert.ok(!store.setFenced('k', 'y', 8n))
  assert.equal(textOf(store, 'latchkey:register:k'), 'kept')
  assert.deepEqual(violations(store.handle), [])
  store.close()
})

test('wrong arguments', () => {
  const store = new Store({ memory: '1mb' })
  assert.throws(() => store.setFenced('k'.repeat(236), 'x', 1n), StoreFenceError)
  assert.throws(() => store.deleteFenced('k'.repeat(236), 1n), StoreFenceError)
  assert.throws(() => store.setFenced('latchkey:fence:a', 'x', 1n), StoreFenceError)
  for (const fence of [-1n, 2n ** 64n, 1 as unknown as bigint])
    assert.throws(() => store.setFenced('k', 'x', fence), StoreArgumentError)
  assert.equal(store.get('k'), undefined)
  store.set('k', 'a fence of before does not cling')
  store.close()
})

test('a flush keeps pinned items only, on a large table', () => {
  const store = new Store({ memory: '16mb' })
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 20_000; i++) store.set(`k${i}`, 'x'.repeat(i % 300))
    for (let i = 0; i < 500; i++) store.set(`latchkey:lock:${i}`, `owner ${i} `.repeat(1 + (i % 50)))
    store.flush()
    assert.deepEqual(violations(store.handle), [])
    const { currItems, pinnedItems } = store.stats()
    assert.deepEqual([currItems, pinnedItems], [500, 500])
    for (let i = 0; i < 500; i++) assert.ok(textOf(store, `latchkey:lock:${i}`)?.startsWith(`owner ${i} `))
    assert.equal(store.get('k7'), undefined)
  }
  store.close()
})
