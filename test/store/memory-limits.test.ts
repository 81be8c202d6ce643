/** What happens when memory is full: who is evicted, who never, and who is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Store, StoreMemoryError, ValueTooLargeError } from 'latchkey/store'
import { violations } from './invariants.js'
import { Random } from './random.js'

const kilobyte = Buffer.alloc(1000, 'k')

test('memory keeps its limit, whatever is stored', () => {
  const store = new Store({ memory: '2mb' })
  for (let i = 0; i < 10_000; i++) store.set(`a${i}`, kilobyte)
  const { bytes, indexBytes, garbageBytes, freeBytes, limitMaxbytes, evictions, currItems } = store.stats()
  assert.equal(limitMaxbytes, 2 * 2 ** 20)
  assert.equal(bytes + indexBytes + garbageBytes + freeBytes, limitMaxbytes)
  assert.ok(bytes > 0.8 * limitMaxbytes, `only ${bytes} bytes are in use`)
  assert.equal(evictions + currItems, 10_000)
  assert.ok(store.get('a9999'), 'the newest item is there')
  assert.deepEqual(violations(store.handle), [])
  store.close()
})

test('items in use survive a long scan of others', () => {
  const store = new Store({ memory: '4mb' })
  for (let round = 0; round < 3; round++)
    for (let i = 0; i < 500; i++) if (!store.get(`hot${i}`)) store.set(`hot${i}`, kilobyte)
  for (let i = 0; i < 40_000; i++) {
    store.set(`scan${i}`, kilobyte)
    if (i % 10 === 0) store.get(`hot${(i / 10) % 500}`)
  }
  let kept = 0
  for (let i = 0; i < 500; i++) if (store.get(`hot${i}`)) kept++
  assert.ok(kept >= 450, `${kept} of 500 are left`)
  store.close()
})

test('without eviction a full store refuses, loudly, and keeps what it has', () => {
  const store = new Store({ memory: '1mb', evict: false })
  let stored = 0
  assert.throws(() => {
    for (; stored < 10_000; stored++) store.set(`a${stored}`, kilobyte)
  }, StoreMemoryError)
  assert.ok(stored > 700, `${stored} items of a kilobyte`)
  for (let i = 0; i < stored; i++) assert.ok(store.get(`a${i}`), `a${i}`)
  assert.equal(store.stats().evictions, 0)
  for (let i = 0; i < stored; i += 2) store.delete(`a${i}`)
  for (let i = 0; i < stored / 3; i++) store.set(`b${i}`, kilobyte)
  assert.deepEqual(violations(store.handle), [])
  store.close()
})

test('pinned items are never evicted', () => {
  const store = new Store({ memory: '2mb', pinnedPrefixes: ['latchkey:lock:', '__d_lock_'] })
  const pinned = ['latchkey:lock:', '__d_lock_', 'latchkey:register:']
  const keys = Array.from({ length: 300 }, (_, i) => `${pinned[i % 3]}${i}`)
  for (const key of keys) store.set(key, `value of ${key}`)
  store.set('latchkey:loc', 'not pinned')
  store.set('latchkey:register', 'not pinned')
  const random = new Random(7)
  for (let i = 0; i < 5000; i++) store.set(`churn${i}`, Buffer.alloc(random.below(20_000)))
  assert.ok(store.stats().evictions > 1000)
  for (const key of keys) assert.equal(Buffer.from(store.get(key)!).toString(), `value of ${key}`)
  assert.equal(store.get('latchkey:loc'), undefined)
  assert.equal(store.get('latchkey:register'), undefined)
  assert.equal(store.stats().pinnedItems, 300)
  assert.deepEqual(violations(store.handle), [])
  store.close()
})

test('pinned items beyond their share are refused, and the others stay', () => {
  const store = new Store({ memory: '2mb', pinnedShare: 0.1 })
  let stored = 0
  assert.throws(() => {
    for (; stored < 10_000; stored++) assert.ok(store.add(`latchkey:lock:${stored}`, kilobyte))
  }, StoreMemoryError)
  assert.ok(stored > 190 && stored < 210, `${stored} of a kilobyte in a tenth of two megabytes`)
  assert.throws(() => store.set('latchkey:lock:0', Buffer.alloc(5000)), StoreMemoryError)
  for (let i = 0; i < stored; i++) assert.equal(store.get(`latchkey:lock:${i}`)?.length, 1000)
  store.set('anything else', kilobyte)
  store.delete('latchkey:lock:7')
  assert.ok(store.add('latchkey:lock:new', kilobyte))
  store.close()
})

test('values to the item limit, and not beyond', () => {
  const store = new Store()
  const most = 2 ** 20 - 16 - 4
  const value = Buffer.alloc(most, 'v')
  store.set('a', value)
  assert.ok(value.equals(store.get('a')!))
  assert.throws(() => store.set('a', Buffer.alloc(most + 1)), ValueTooLargeError)
  assert.equal(store.get('a'), undefined, 'as in memcached, the old value is gone')
  store.close()
})

test('a value of 64 MiB', () => {
  const store = new Store({ memory: '256mb', itemMax: '64mb' })
  const value = Buffer.alloc(64 * 2 ** 20 - 64)
  for (let i = 0; i < value.length; i += 4096) value.writeUInt32LE(i, i)
  for (let round = 0; round < 5; round++) store.set(`a${round}`, value)
  assert.ok(value.equals(store.get('a4')!))
  assert.deepEqual(violations(store.handle), [])
  store.close()
})
