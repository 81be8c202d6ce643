/** The smallest case of every fault that a larger test or a close reading has found. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Bytes,
  type ItemView,
  Outcome,
  readOptions,
  removeOptions,
  Store,
  StoreArgumentError,
  Table,
  WriteMode,
  writeOptions,
} from 'latchkey/store'
import { Global } from '#dist/store/layout.js'
import { ownerWord } from '#dist/store/lock.js'
import { Memory } from '#dist/store/memory.js'
import { slotsOf } from '#dist/store/threads.js'
import { eventually } from '../support/eventually.js'
import { violations } from './invariants.js'
import { MORTAL_THREAD_ID, MortalThread } from './mortal-thread.js'
import { Random } from './random.js'
import { VirtualClock } from './virtual-clock.js'

function textOf(store: Store, key: string): string | undefined {
  const value = store.get(key)
  return value && Buffer.from(value).toString()
}

test('a value that begins exactly at the end of a page goes on in the right page', () => {
  const store = new Store({ memory: '1mb' })
  const textFor = (i: number) => String(i).padStart(i % 3 === 0 ? 12 : 4, '.')
  for (let i = 0; i < 3000; i++) store.set(`key${10_000 + i}`, textFor(i))
  assert.equal(store.stats().evictions, 0)
  for (let i = 0; i < 3000; i++) assert.equal(textOf(store, `key${10_000 + i}`), textFor(i))
  assert.deepEqual(violations(store.handle), [])
  store.close()
})

test('a full store has room for any item: making it does not stop at a page that only ends a record', () => {
  const store = new Store({ memory: '4mb', itemMax: '256kb' })
  const random = new Random(1)
  for (let i = 0; i < 20_000; i++) store.set(`key${random.below(6000)}`, new Uint8Array(random.valueLength()))
  assert.ok(store.stats().evictions > 0)
  store.close()
})

test('a touch that is refused leaves no trace in later reads', () => {
  const clock = new VirtualClock()
  const store = new Store({ memory: '1mb' }, clock)
  store.set('a', '1')
  store.set('b', '1')
  store.touch('b', 50)
  assert.throws(() => store.touch('a', Number.NaN), StoreArgumentError)
  assert.throws(() => store.getAndTouch('a', Number.NaN), StoreArgumentError)
  store.get('a')
  clock.advance(100)
  assert.equal(textOf(store, 'a'), '1')
  store.close()
})

test('a compare-and-swap that is too large does not delete what it may not replace', () => {
  const store = new Store({ memory: '1mb', itemMax: 1024 })
  store.set('a', 'theirs')
  const { cas } = store.gets('a')!
  store.set('a', 'theirs again')
  assert.throws(() => store.cas('a', Buffer.alloc(2000), cas))
  assert.equal(textOf(store, 'a'), 'theirs again')
  store.close()
})

test('a compare-and-swap without a token is refused, not done unconditionally', () => {
  const store = new Store({ memory: '1mb' })
  store.set('a', 'theirs')
  assert.throws(() => store.cas('a', 'mine', undefined as unknown as bigint), StoreArgumentError)
  assert.equal(textOf(store, 'a'), 'theirs')
  store.close()
})

test('a delayed flush that has come due stays done when another is ordered', () => {
  const clock = new VirtualClock()
  const store = new Store({ memory: '1mb' }, clock)
  store.set('a', '1')
  store.flush(100)
  clock.advance(200)
  store.flush(10_000)
  assert.equal(textOf(store, 'a'), undefined)
  store.close()
})

test('a time to live beyond all numbers does not end at once', () => {
  const store = new Store({ memory: '1mb' })
  for (const ttlMs of [2 ** 53, 2 ** 63, 2 ** 64, 1e300]) {
    try {
      store.set('a', '1', { ttlMs })
    } catch (error) {
      assert.ok(error instanceof StoreArgumentError)
      continue
    }
    assert.equal(textOf(store, 'a'), '1', `after a ttl of ${ttlMs} ms`)
  }
  store.close()
})

/** One item of a table, as a reader sees it. */
function tableWith(value: string) {
  const table = Table.create({ memory: '1mb' }, new VirtualClock())
  const key = table.newKey()
  key.setBytes(new Bytes(Buffer.from('k')), 0, 1)
  const write = (text: string, options: Partial<ReturnType<typeof writeOptions>>) =>
    table.write(key, new Bytes(Buffer.from(text)), 0, text.length, { ...writeOptions(), ...options })
  const look = (peek = false) => {
    let seen = { won: false, wonBefore: false, stale: false, cas: 0n, text: '' }
    table.read(
      key,
      { ...readOptions(), mayWin: true, peek },
      {
        item(view: ItemView) {
          const target = Bytes.allocate(view.valueLength)
          view.copyValue(target, 0)
          const { won, wonBefore, stale, cas } = view
          seen = { won, wonBefore, stale, cas, text: Buffer.from(target.u8).toString() }
        },
      },
    )
    return seen
  }
  assert.equal(write(value, {}), Outcome.Done)
  return { table, key, write, look }
}

test('an append with an older token is refused, with invalidation too', () => {
  const { write, look } = tableWith('a')
  const { cas } = look()
  write('a', {})
  assert.equal(write('b', { mode: WriteMode.Append, compareCas: cas, invalidate: true }), Outcome.Exists)
  assert.equal(look().text, 'a')
})

test('a stale store keeps that a reader was already told to recompute', () => {
  const { table, key, write, look } = tableWith('a')
  const { cas } = look()
  table.remove(key, { ...removeOptions(), invalidate: true })
  assert.equal(look().won, true)
  assert.equal(write('b', { compareCas: cas, invalidate: true }), Outcome.Done)
  const { won, wonBefore, stale } = look()
  assert.deepEqual({ won, wonBefore, stale }, { won: false, wonBefore: true, stale: true })
})

test('the background sweep outlives a thread that died with the pool of free pages', async () => {
  const clock = new VirtualClock()
  const table = Table.create({ memory: '1mb' }, clock)
  const store = new Store(table)
  for (let i = 0; i < 200; i++) store.set(`brief${i}`, new Uint8Array(3000), { ttlMs: 10 })
  new MortalThread(table.handle, clock)
  const memory = new Memory(table.handle.memory)
  const dead = ownerWord(slotsOf(memory, MORTAL_THREAD_ID)[0]!)
  Atomics.store(memory.control, Global.PoolLock, dead)
  clock.advance(2000)
  table.startSweeper()
  // Marked as waited for: the sweep has come to it. What that throws would end the process.
  await eventually('the sweep wants the pool', async () => Atomics.load(memory.control, Global.PoolLock) === (dead | 1))
  table.recover(MORTAL_THREAD_ID)
  await eventually('everything is swept', async () => store.stats().currItems === 0)
  // A stripe that a sweep was broken off in is repaired at its next use.
  for (let i = 0; i < 2000; i++) store.get(`any${i}`)
  assert.deepEqual(violations(table.handle), [])
  store.close()
})
