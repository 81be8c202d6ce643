/** What is told by size class: what is there, how idle it is, and what became of the others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  arithmeticOptions,
  Bytes,
  type Key,
  Outcome,
  readOptions,
  removeOptions,
  type SizeClass,
  Table,
  writeOptions,
} from 'latchkey/store'
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
  const ofClass = (id: number) => table.sizeClasses().find((one) => one.id === id) as SizeClass
  const pass = (ms: number) => {
    clock.advance(ms)
    table.tick()
  }
  return { table, keyOf, set, get, ofClass, pass }
}

type Counts = Pick<ReturnType<Table['stats']>, keyof SizeClass & keyof ReturnType<Table['stats']>>

function tokenOf(table: Table, key: Key): bigint {
  let token = 0n
  table.read(key, { ...readOptions(), peek: true }, { item: ({ cas }) => (token = cas) })
  return token
}

test('items and bytes', () => {
  const { table, set, ofClass } = tableOf({})
  // 16 bytes of header, 4 of key.
  for (const name of ['aaaa', 'bbbb', 'cccc']) set(name, 44)
  set('dddd', 45)
  set('eeee', 5000)
  assert.deepEqual([ofClass(6).items, ofClass(6).bytes, ofClass(6).upTo], [3, 192, 64])
  assert.deepEqual([ofClass(7).items, ofClass(7).bytes], [1, 72])
  assert.equal(
    table.sizeClasses().reduce((sum, { bytes }) => sum + bytes, 0),
    table.stats().bytes,
  )
  set('aaaa', 45)
  assert.deepEqual([ofClass(6).items, ofClass(7).items], [2, 2])
  table.flush()
  // They stay in the list for what was counted.
  assert.deepEqual(
    table.sizeClasses().map(({ id, items, bytes, cmdSet }) => [id, items, bytes, cmdSet]),
    [
      [6, 0, 0, 3],
      [7, 0, 0, 2],
      [13, 0, 0, 1],
    ],
  )
  table.resetStats()
  assert.deepEqual(table.sizeClasses(), [])
})

test('what is done to items of a class, and the sums of all', () => {
  const { table, keyOf, set, get, ofClass } = tableOf({})
  set('small', 40)
  set('large', 1000)
  set('number', 0)
  table.write(keyOf('number'), new Bytes(Buffer.from('12')), 0, 2, writeOptions())
  for (const key of ['small', 'small', 'large', 'none']) get(key)
  table.read(keyOf('large'), { ...readOptions(), touch: true, ttlMs: 0 })
  table.arithmetic(keyOf('number'), { ...arithmeticOptions(), delta: 1n })
  table.arithmetic(keyOf('number'), { ...arithmeticOptions(), delta: 1n, decrement: true })
  table.write(keyOf('small'), Bytes.allocate(1), 0, 1, { ...writeOptions(), compareCas: 1n })
  table.write(keyOf('small'), Bytes.allocate(1), 0, 1, {
    ...writeOptions(),
    compareCas: tokenOf(table, keyOf('small')),
  })
  table.remove(keyOf('large'), removeOptions())
  const done = ({ getHits, cmdSet, deleteHits, incrHits, decrHits, casHits, casBadval, touchHits }: Counts) =>
    [getHits, cmdSet, deleteHits, incrHits, decrHits, casHits, casBadval, touchHits].join(' ')
  // A store counts where the new value would be, and what it compares where the item is: afterwards, if it was stored.
  assert.equal(done(ofClass(5)), '0 4 0 1 1 1 0 0')
  assert.equal(done(ofClass(6)), '2 1 0 0 0 0 1 0')
  assert.equal(done(ofClass(10)), '1 1 1 0 0 0 0 1')
  assert.equal(done(table.stats()), '3 6 1 1 1 1 1 1')
  const { cmdGet, getMisses, cmdTouch, touchMisses } = table.stats()
  assert.deepEqual([cmdGet, getMisses, cmdTouch, touchMisses], [4, 1, 1, 0])
})

test('what had to wait for room is counted once', () => {
  const { table, keyOf, set } = tableOf({})
  for (let i = 0; i < 2000; i++) set(`filler ${i}`, 900)
  const before = table.stats()
  for (let i = 0; i < 500; i++) {
    const key = keyOf(`swapped ${i}`)
    set(`swapped ${i}`, 900)
    const options = { ...writeOptions(), compareCas: tokenOf(table, key) }
    assert.equal(table.write(key, Bytes.allocate(900), 0, 900, options), Outcome.Done)
  }
  const after = table.stats()
  assert.ok(after.directReclaims > before.directReclaims)
  assert.equal(after.casHits - before.casHits, 500)
  assert.equal(after.cmdSet - before.cmdSet, 1000)
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
  assert.equal(ofClass(5).age, 7)
  assert.equal(ofClass(6).age, 2)
  assert.equal(ofClass(10).age, 0)
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
    classes.reduce((total, one) => total + one[name], 0)
  // Items with a time to live have 8 bytes more: they are of a class in which none is left.
  assert.ok(evictions > 3000 && sum('evicted') <= evictions && sum('evicted') >= evictions - 200)
  assert.equal(sum('evictedActive'), evictedActive)
  assert.ok(sum('evictedUnfetched') <= evictedUnfetched)
  set('also lives', 40, 1e6)
  const lived = ofClass(7)
  assert.deepEqual([lived.evicted, lived.evictedNonzero, lived.evictedTime], [200, 200, 9])
  assert.equal(ofClass(10).evictedNonzero, 0)
  table.resetStats()
  assert.deepEqual([ofClass(7).evicted, ofClass(7).evictedTime], [0, 0])
})

test('what expired, found by a reader and by the sweep', () => {
  const { table, set, get, ofClass, pass } = tableOf({})
  set('read', 20, 1000)
  set('unread', 20, 1000)
  set('left', 20)
  get('read')
  pass(1500)
  assert.equal(get('unread'), false)
  assert.deepEqual([ofClass(6).reclaimed, ofClass(6).expiredUnfetched, ofClass(6).crawlerReclaimed], [1, 1, 0])
  table.sweep()
  assert.deepEqual([ofClass(6).reclaimed, ofClass(6).expiredUnfetched, ofClass(6).crawlerReclaimed], [2, 1, 1])
})

test('what found no room', () => {
  const { set, ofClass } = tableOf({ evict: false })
  let refused = 0
  for (let i = 0; i < 3000; i++) if (set(`key ${i}`, 900) === Outcome.OutOfMemory) refused++
  assert.ok(refused > 0)
  assert.equal(ofClass(10).outofmemory, refused)
})
