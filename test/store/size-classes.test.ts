/** What is told by size class: what is there, how idle it is, and what became of the others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bytes, Outcome, readOptions, Table, writeOptions } from 'latchkey/store'
import { VirtualClock } from './virtual-clock.js'

function tableOf(options: Parameters<typeof Table.create>[0]) {
  const clock = new VirtualClock()
  const table = Table.create({ memory: '1mb', ...options }, clock)
  const keyOf = (name: string) => {
    const key = table.newKey()
    key.setBytes(new Bytes(Buffer.from(name)), 0, name.length)
    return key
  }
  const set = (name: string, length: number, ttlMs = 0) =>
    table.write(keyOf(name), Bytes.allocate(length), 0, length, { ...writeOptions(), ttlMs })
  const get = (name: string) => {
    table.tick()
    return table.read(keyOf(name), readOptions(), { item: () => undefined })
  }
  const ofClass = (id: number) => table.sizeClasses().find((one) => one.id === id)
  const pass = (ms: number) => {
    clock.advance(ms)
    table.tick()
  }
  return { table, set, get, ofClass, pass }
}

test('items and bytes', () => {
  const { table, set, ofClass } = tableOf({})
  // 16 bytes of header, 4 of key.
  for (const name of ['aaaa', 'bbbb', 'cccc']) set(name, 44)
  set('dddd', 45)
  set('eeee', 5000)
  assert.deepEqual([ofClass(6)?.items, ofClass(6)?.bytes, ofClass(6)?.upTo], [3, 192, 64])
  assert.deepEqual([ofClass(7)?.items, ofClass(7)?.bytes], [1, 72])
  assert.equal(
    table.sizeClasses().reduce((sum, { bytes }) => sum + bytes, 0),
    table.stats().bytes,
  )
  set('aaaa', 45)
  assert.deepEqual([ofClass(6)?.items, ofClass(7)?.items], [2, 2])
  table.flush()
  assert.deepEqual(table.sizeClasses(), [])
})

test('age is that of the longest idle item of the class', () => {
  const { table, set, get, ofClass, pass } = tableOf({})
  set('old', 10)
  set('older, but read', 10)
  set('large', 1000)
  pass(5000)
  // The clock that access times are taken from is kept going by the sweep.
  table.sweep()
  get('older, but read')
  pass(2000)
  table.sweep()
  get('large')
  assert.equal(ofClass(5)?.age, 7)
  assert.equal(ofClass(6)?.age, 2)
  assert.equal(ofClass(10)?.age, 0)
})

test('evictions, by class and with how idle the last one was', () => {
  const { table, set, get, ofClass, pass } = tableOf({})
  for (let i = 0; i < 200; i++) {
    set(`lives ${i}`, 40, 1e6)
    set(`read ${i}`, 40)
    get(`read ${i}`)
  }
  pass(9000)
  for (let i = 0; i < 4000; i++) set(`filler ${i}`, 900)
  set('one', 40)
  const { evictions, evictedActive, evictedUnfetched } = table.stats()
  const classes = [ofClass(6), ofClass(10)]
  const sum = (name: 'evicted' | 'evictedActive' | 'evictedUnfetched') =>
    classes.reduce((total, one) => total + (one?.[name] ?? 0), 0)
  // Items with a time to live have 8 bytes more: they are of a class in which none is left.
  assert.ok(evictions > 3000 && sum('evicted') <= evictions && sum('evicted') >= evictions - 200)
  assert.equal(sum('evictedActive'), evictedActive)
  assert.ok(sum('evictedUnfetched') <= evictedUnfetched)
  set('also lives', 40, 1e6)
  const lived = ofClass(7)
  assert.deepEqual([lived?.evicted, lived?.evictedNonzero, lived?.evictedTime], [200, 200, 9])
  assert.equal(ofClass(10)?.evictedNonzero, 0)
  table.resetStats()
  assert.deepEqual([ofClass(7)?.evicted, ofClass(7)?.evictedTime], [0, 0])
})

test('what expired, found by a reader and by the sweep', () => {
  const { table, set, get, ofClass, pass } = tableOf({})
  set('read', 20, 1000)
  set('unread', 20, 1000)
  set('left', 20)
  get('read')
  pass(1500)
  assert.equal(get('unread'), false)
  assert.deepEqual([ofClass(6)?.reclaimed, ofClass(6)?.expiredUnfetched, ofClass(6)?.crawlerReclaimed], [1, 1, 0])
  table.sweep()
  assert.deepEqual([ofClass(6)?.reclaimed, ofClass(6)?.expiredUnfetched, ofClass(6)?.crawlerReclaimed], [2, 1, 1])
})

test('what found no room', () => {
  const { set, ofClass } = tableOf({ evict: false })
  let refused = 0
  for (let i = 0; i < 3000; i++) if (set(`key ${i}`, 900) === Outcome.OutOfMemory) refused++
  assert.ok(refused > 0)
  assert.equal(ofClass(10)?.outofmemory, refused)
})
