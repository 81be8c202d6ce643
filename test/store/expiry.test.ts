/** Times to live are exact to the millisecond, and what has expired gives its memory back unasked. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { monotonicClock, Store, Table } from 'latchkey/store'
import { violations } from './invariants.js'
import { VirtualClock } from './virtual-clock.js'

function fresh(memory = '1mb') {
  const clock = new VirtualClock()
  const store = new Store({ memory }, clock)
  clock.advance(10)
  return { clock, store, table: Table.attach(store.handle, clock) }
}

test('an item lives exactly as long as it was given', () => {
  const { clock, store } = fresh()
  store.set('a', '1', { ttlMs: 250 })
  store.set('ever', '1')
  store.set('over', '1', { ttlMs: -1 })
  assert.equal(store.get('over'), undefined)
  clock.advance(249)
  assert.ok(store.get('a'))
  clock.advance(1)
  assert.equal(store.get('a'), undefined)
  assert.equal(store.touch('a', 100), false)
  assert.equal(store.append('a', 'x'), false)
  assert.equal(store.replace('a', 'x'), false)
  assert.equal(store.delete('a'), false)
  assert.equal(store.add('a', 'again'), true)
  clock.advance(2 ** 40)
  assert.ok(store.get('ever'))
  store.close()
})

test('touch and getAndTouch give a new life, and none for ever', () => {
  const { clock, store } = fresh()
  store.set('a', '1', { ttlMs: 100 })
  clock.advance(99)
  assert.equal(store.touch('a', 100), true)
  clock.advance(99)
  assert.ok(store.getAndTouch('a', 0))
  clock.advance(1e9)
  assert.ok(store.get('a'))
  store.touch('a', 50)
  clock.advance(50)
  assert.equal(store.get('a'), undefined)
  store.close()
})

test('a sweep gives the memory back that expired items took', () => {
  const { clock, store, table } = fresh('4mb')
  const empty = store.stats().freeBytes
  for (let i = 0; i < 200; i++) store.set(`a${i}`, Buffer.alloc(i * 80), { ttlMs: 5000 })
  store.set('large', Buffer.alloc(100_000), { ttlMs: 9000 })
  const { freeBytes, indexBytes, pageBytes } = store.stats()
  assert.ok(freeBytes < empty - 1e6)
  clock.advance(4000)
  table.sweep()
  assert.equal(store.stats().currItems, 201)
  clock.advance(2000)
  table.sweep()
  assert.equal(store.stats().currItems, 1)
  clock.advance(4000)
  table.sweep()
  const after = store.stats()
  assert.equal(after.currItems, 0)
  assert.equal(after.crawlerReclaimed, 201)
  // The open page of each queue and the index stay.
  assert.ok(after.freeBytes >= empty - indexBytes - after.stripes * pageBytes)
  assert.deepEqual(violations(store.handle), [])
  store.close()
})

test('a store sweeps by itself', async () => {
  const store = new Store({ memory: '1mb' })
  store.set('a', '1', { ttlMs: 1 })
  while (store.stats().currItems > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  store.close()
})

test('a delayed flush drops what is there when it falls due, and a sweep ends it', () => {
  const { clock, store, table } = fresh()
  for (let i = 0; i < 50; i++) store.set(`before${i}`, '1')
  store.flush(1000)
  store.set('between', '1')
  clock.advance(999)
  assert.ok(store.get('before0'))
  clock.advance(1)
  assert.equal(store.get('between'), undefined)
  store.set('after', '1')
  table.sweep()
  assert.equal(store.stats().currItems, 1)
  assert.ok(store.get('after'))
  store.close()
})

test('all clocks of a process show the same time', () => {
  const one = monotonicClock()
  const two = monotonicClock()
  const times = [one.now(), two.now(), one.now()]
  assert.ok(times[0]! <= times[1]! + 0.5 && times[1]! <= times[2]! + 0.5)
})
