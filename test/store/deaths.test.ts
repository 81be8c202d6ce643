/**
 * A thread dies at every write that an operation makes, in turn, and another one recovers what it held. Afterwards
 * the memory must be sound, every other item untouched, and the item in question old or new; only one that was being
 * overwritten in place may be missing.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Bytes, Store, type StoreOptions, Table, WriteMode } from 'latchkey/store'
import { violations } from './invariants.js'
import { countAtomics } from './mortal-memory.js'
import { MORTAL_THREAD_ID, MortalThread } from './mortal-thread.js'
import { VirtualClock } from './virtual-clock.js'

/** Deaths tried per scenario: all when it has no more writes than this, else evenly spread. */
const DEATHS_MAX = process.env.LATCHKEY_SOAK === '1' ? 5000 : 250

type Contents = Map<string, string | undefined>

interface Scenario {
  options?: StoreOptions
  /** Makes the state that the operation finds. The clock may be moved on. */
  prepare?: (store: Store, clock: VirtualClock) => void
  act: (thread: MortalThread, store: Store) => void
  /** The keys that the operation is about. */
  about: string[]
  /** The operation overwrites in place: its item may be lost. */
  mayLose?: true
  /** The operation evicts or drops: any item but a pinned one may be missing. */
  mayMiss?: true
}

let restoreAtomics = () => {}
before(() => {
  restoreAtomics = countAtomics()
})
after(() => restoreAtomics())

function contentsOf(table: Table, store: Store): Contents {
  const keys: string[] = []
  const target = Buffer.alloc(250)
  const bytes = { u8: target, view: new DataView(target.buffer, target.byteOffset, 250) }
  let cursor = 0
  do {
    cursor = table.scan(cursor, {
      item(view) {
        view.copyKey(bytes, 0)
        keys.push(target.toString('latin1', 0, view.keyLength))
      },
    })
  } while (cursor !== 0)
  return new Map(keys.map((key) => [key, textOf(store, key)]))
}

function textOf(store: Store, key: string): string | undefined {
  const value = store.get(key)
  return value && Buffer.from(value).toString('latin1')
}

function run(scenario: Scenario): { deaths: number } {
  const clock = new VirtualClock()
  const table = Table.create({ memory: '1mb', ...scenario.options }, clock)
  const store = Store.attach(table.handle, clock)
  store.set('bystander', 'untouched')
  store.set('latchkey:lock:bystander', 'pinned')
  scenario.prepare?.(store, clock)
  const mortal = new MortalThread(table.handle, clock)
  const { control, data, waiters } = table.handle.memory
  const saved = [control, waiters, ...data].map((buffer) => new Uint8Array(buffer).slice())
  const restore = () => {
    for (const [i, buffer] of [control, waiters, ...data].entries()) new Uint8Array(buffer).set(saved[i]!)
  }

  const old = contentsOf(table, store)
  restore()
  const { writes } = mortal.live(Number.POSITIVE_INFINITY, (thread) => scenario.act(thread, store))
  assert.deepEqual(violations(table.handle), [], 'after the operation without a death')
  const fresh = contentsOf(table, store)
  const stride = Math.max(1, writes / DEATHS_MAX)
  let deaths = 0
  for (let point = 0; point < writes; point += stride) {
    const end = Math.floor(point)
    restore()
    assert.ok(mortal.live(end, (thread) => scenario.act(thread, store)).died, `death at write ${end} of ${writes}`)
    deaths++
    table.recover(MORTAL_THREAD_ID)
    assert.deepEqual(violations(table.handle), [], `after a death at write ${end} of ${writes}`)
    compare(scenario, old, fresh, store, `after a death at write ${end} of ${writes}`)
    checkTokens(scenario.about[0]!, store, old, table)
    assert.deepEqual(violations(table.handle), [], `later, after a death at write ${end} of ${writes}`)
  }
  restore()
  return { deaths }
}

function compare(scenario: Scenario, old: Contents, fresh: Contents, store: Store, when: string): void {
  for (const key of new Set([...old.keys(), ...fresh.keys()])) {
    const now = textOf(store, key)
    const pinned = /^latchkey:(lock|fence):/.test(key)
    const concerned = scenario.about.includes(key)
    if (now === undefined && scenario.mayMiss && !pinned) continue
    if (now === undefined && scenario.mayLose && concerned && !pinned) continue
    if (concerned && now === fresh.get(key)) continue
    assert.ok(now === old.get(key), `${key} ${when}: ${now?.length} bytes, were ${old.get(key)?.length}`)
  }
}

/** A key's next token is greater than all that it can have had. */
function checkTokens(key: string, store: Store, old: Contents, table: Table): void {
  if (key.startsWith('latchkey:lock:') || old.size > 1000) return
  const before = store.gets(key)?.cas ?? 0n
  store.set(key, 'later')
  assert.ok(store.gets(key)!.cas > before, 'tokens go on rising')
  table.sweep()
}

const long = (length: number, letter: string) => letter.repeat(length)

const scenarios: Record<string, Scenario> = {
  'the first set of all': {
    act: (thread) => thread.write('k', 'new'),
    about: ['k'],
  },
  'a set of another size': {
    prepare: (store) => store.set('k', 'old'),
    act: (thread) => thread.write('k', 'new and longer'),
    about: ['k'],
  },
  'an overwrite in place': {
    prepare: (store) => store.set('k', long(700, 'a'), { ttlMs: 5000, flags: 7 }),
    act: (thread) => thread.write('k', long(700, 'b'), { ttlMs: 500, flags: 9 }),
    about: ['k'],
    mayLose: true,
  },
  'an overwrite of a pinned item': {
    prepare: (store) => store.set('latchkey:lock:k', 'aaaa'),
    act: (thread) => thread.write('latchkey:lock:k', 'bbbb'),
    about: ['latchkey:lock:k'],
  },
  'incr of a pinned item': {
    prepare: (store) => store.set('latchkey:lock:k', '41'),
    act: (thread) => thread.arithmetic('latchkey:lock:k'),
    about: ['latchkey:lock:k'],
  },
  append: {
    prepare: (store) => store.set('k', long(3000, 'a')),
    act: (thread) => thread.write('k', long(3000, 'b'), { mode: WriteMode.Append }),
    about: ['k'],
  },
  prepend: {
    prepare: (store) => store.set('k', long(30, 'a')),
    act: (thread) => thread.write('k', long(30, 'b'), { mode: WriteMode.Prepend }),
    about: ['k'],
  },
  'a value of several pages': {
    prepare: (store) => store.set('k', long(9000, 'a')),
    act: (thread) => thread.write('k', long(13_000, 'b')),
    about: ['k'],
  },
  'a large value for another': {
    prepare: (store) => store.set('k', long(50_000, 'a')),
    act: (thread) => thread.write('k', long(60_000, 'b')),
    about: ['k'],
  },
  'a large value in place': {
    prepare: (store) => store.set('k', long(50_000, 'a')),
    act: (thread) => thread.write('k', long(50_000, 'b')),
    about: ['k'],
    mayLose: true,
  },
  'delete of a large value': {
    prepare: (store) => store.set('k', long(50_000, 'a')),
    act: (thread) => thread.remove('k'),
    about: ['k'],
  },
  delete: {
    prepare: (store) => store.set('k', 'old'),
    act: (thread) => thread.remove('k'),
    about: ['k'],
  },
  'incr in place': {
    prepare: (store) => store.set('k', '41'),
    act: (thread) => thread.arithmetic('k'),
    about: ['k'],
    mayLose: true,
  },
  'incr that grows': {
    prepare: (store) => store.set('k', '99999999'),
    act: (thread) => thread.arithmetic('k', { delta: 10n ** 18n }),
    about: ['k'],
  },
  'incr of a missing number': {
    act: (thread) => thread.arithmetic('k', { vivify: true, initial: 5n }),
    about: ['k'],
  },
  'touch in place': {
    prepare: (store) => store.set('k', 'old', { ttlMs: 50_000 }),
    act: (thread) => thread.read('k', { touch: true, ttlMs: 5000 }),
    about: ['k'],
  },
  'touch that moves': {
    prepare: (store) => store.set('k', long(5000, 'a')),
    act: (thread) => thread.read('k', { touch: true, ttlMs: 5000 }),
    about: ['k'],
  },
  'mark as stale': {
    prepare: (store) => store.set('k', long(500, 'a')),
    act: (thread) => thread.remove('k', { invalidate: true, touch: true, ttlMs: 5000 }),
    about: ['k'],
  },
  'drop the value': {
    prepare: (store) => store.set('k', long(500, 'a')),
    act: (thread) => thread.remove('k', { dropValue: true }),
    about: ['k'],
  },
  vivify: {
    act: (thread) => thread.read('k', { vivify: true, vivifyTtlMs: 5000 }),
    about: ['k'],
  },
  'a read that finds its item expired': {
    prepare: (store, clock) => {
      store.set('k', long(9000, 'a'), { ttlMs: 10 })
      clock.advance(20)
    },
    act: (thread) => thread.read('k'),
    about: ['k'],
  },
  'a first write with a fence': {
    prepare: (store) => store.set('k', 'old'),
    act: (thread) => thread.write('k', 'new', { fence: 7n }),
    about: ['k', 'latchkey:fence:k'],
    mayLose: true,
  },
  'a write with a greater fence': {
    prepare: (store) => store.setFenced('k', 'old', 7n),
    act: (thread) => thread.write('k', 'new', { fence: 8n }),
    about: ['k', 'latchkey:fence:k'],
    mayLose: true,
  },
  'a delete with a greater fence': {
    prepare: (store) => store.setFenced('k', 'old', 7n),
    act: (thread) => thread.remove('k', { fence: 8n }),
    about: ['k', 'latchkey:fence:k'],
  },
  sweep: {
    prepare: (store, clock) => {
      for (let i = 0; i < 60; i++) store.set(`k${i}`, long(i * 100, 'a'), { ttlMs: i % 3 === 0 ? 90_000 : 10 })
      clock.advance(2000)
    },
    act: (thread) => thread.engine.sweep(),
    about: ['k0'],
  },
  flush: {
    prepare: (store) => {
      for (let i = 0; i < 60; i++) store.set(`k${i}`, long(i * 100, 'a'))
      store.set('large', long(50_000, 'a'))
    },
    act: (thread) => thread.engine.flush(0),
    about: [...Array.from({ length: 60 }, (_, i) => `k${i}`), 'large', 'bystander'],
  },
  'a delayed flush': {
    prepare: (store, clock) => {
      for (let i = 0; i < 60; i++) store.set(`k${i}`, long(i * 100, 'a'))
      store.flush(100)
      clock.advance(200)
    },
    act: (thread) => thread.write('k', 'new'),
    about: ['k'],
  },
  eviction: {
    prepare: (store) => fill(store, 400, (i) => 1000 + (i % 7) * 700),
    act: (thread) => thread.write('k', long(6000, 'b')),
    about: ['k'],
    mayMiss: true,
  },
  'eviction for a large value': {
    prepare: (store) => fill(store, 900, () => 1500),
    act: (thread) => thread.write('k', long(100_000, 'b')),
    about: ['k'],
    mayMiss: true,
  },
  'eviction of large values': {
    prepare: (store) => fill(store, 40, (i) => 34_000 + (i % 5) * 3000),
    act: (thread) => thread.write('k', long(300_000, 'b')),
    about: ['k'],
    mayMiss: true,
  },
  compaction: {
    options: { evict: false },
    prepare: (store) => {
      for (let i = 0; i < 900; i++) if (!stored(store, `f${i}`, long(900, 'f'))) break
      for (let i = 0; i < 900; i += 2) store.delete(`f${i}`)
    },
    act: (thread) => thread.write('k', long(90_000, 'b')),
    about: ['k'],
  },
  'an index that splits': {
    prepare: fillIndex,
    act: (thread) => {
      for (let i = 0; i < 40; i++) thread.write(`new${i}`, 'n')
    },
    about: Array.from({ length: 40 }, (_, i) => `new${i}`),
  },
  'an index that splits on pages used before': {
    prepare: (store) => {
      for (let i = 0; i < 8000; i++) store.set(`before${i}`, 'x')
      store.flush()
      fillIndex(store)
    },
    act: (thread) => {
      for (let i = 0; i < 40; i++) thread.write(`new${i}`, 'n')
    },
    about: Array.from({ length: 40 }, (_, i) => `new${i}`),
  },
}

function stored(store: Store, key: string, value: string): boolean {
  try {
    store.set(key, value)
    return true
  } catch {
    return false
  }
}

/** Fills until things have been evicted; every third item is read, so that some are promoted. */
function fill(store: Store, items: number, lengthOf: (i: number) => number): void {
  for (let i = 0; i < items; i++) {
    store.set(`f${i}`, long(lengthOf(i), 'f'))
    if (i % 3 === 0) store.get(`f${i}`)
  }
}

/** Fills until one index page is about to split: the next few keys will make it. */
function fillIndex(store: Store): void {
  const { indexBytes } = store.stats()
  let i = 0
  do store.set(`i${i++}`, 'i')
  while (store.stats().indexBytes <= Math.max(indexBytes, 4 * 4096) && i < 20_000)
}

for (const [name, scenario] of Object.entries(scenarios)) {
  test(`death in ${name}`, (t) => {
    const { deaths } = run(scenario)
    t.diagnostic(`${deaths} deaths`)
    assert.ok(deaths > 0)
  })
}

test('a page that a repair gives back may be in use elsewhere at once', () => {
  const clock = new VirtualClock()
  const table = Table.create({ memory: '1mb' }, clock)
  const store = Store.attach(table.handle, clock)
  store.set('k', 'old')
  const stripeOf = (name: string) => {
    const key = table.newKey()
    key.setBytes(new Bytes(Buffer.from(name)), 0, name.length)
    return key.stripe
  }
  const elsewhere = Array.from({ length: 40 }, (_, i) => `k${i}`).filter((name) => stripeOf(name) !== stripeOf('k'))
  const names = [...elsewhere]
  const mortal = new MortalThread(table.handle, clock)
  const undertaker = new MortalThread(table.handle, clock, MORTAL_THREAD_ID + 1)
  // Dead with the pages of a value that nothing leads to yet.
  assert.ok(mortal.live(90, (thread) => thread.write('k', long(20_000, 'a'))).died)
  const { pool } = undertaker.engine
  const give = pool.give.bind(pool)
  pool.give = (page) => {
    give(page)
    const name = names.pop()
    if (name !== undefined) store.set(name, long(3000, 'b'))
  }
  undertaker.engine.recover(MORTAL_THREAD_ID)
  assert.ok(names.length <= elsewhere.length - 5, 'the test did what it is for')
  assert.deepEqual(violations(table.handle), [])
  assert.equal(textOf(store, 'k'), 'old')
})
