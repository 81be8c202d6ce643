/** Handles, slots, tokens, and arguments that cannot be. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NotANumberError, parseSize, Store, StoreArgumentError, StoreThreadsError } from 'latchkey/store'
import { THREAD_SLOTS } from '#dist/store/layout.js'

test('a handle is cloned, and leads to the same items', () => {
  const store = new Store({ memory: '1mb' })
  const other = Store.attach(structuredClone(store.handle))
  store.set('a', 'from one')
  assert.equal(Buffer.from(other.get('a')!).toString(), 'from one')
  other.delete('a')
  assert.equal(store.get('a'), undefined)
  other.close()
  store.close()
})

test('places are given back, and run out loudly', () => {
  const store = new Store({ memory: '1mb' })
  for (let i = 0; i < 2 * THREAD_SLOTS; i++) Store.attach(store.handle).close()
  const attached = Array.from({ length: THREAD_SLOTS - 1 }, () => Store.attach(store.handle))
  assert.throws(() => Store.attach(store.handle), StoreThreadsError)
  attached.pop()!.close()
  Store.attach(store.handle).set('a', '1')
  assert.ok(store.get('a'))
  for (const one of attached) one.close()
  store.close()
})

test('tokens have 63 bits, are unique, and rise for ever', async () => {
  const store = new Store({ memory: '1mb' })
  const seen = new Set<bigint>()
  let last = 0n
  for (let i = 0; i < 3000; i++) {
    store.set(`k${i}`, '1')
    seen.add(store.gets(`k${i}`)!.cas)
    if (i % 3 === 0) store.delete('a')
    if (i === 1500) store.flush()
    store.set('a', '1')
    const { cas } = store.gets('a')!
    assert.ok(cas > last && cas < 2n ** 63n)
    last = cas
    seen.add(cas)
  }
  assert.equal(seen.size, 6000)
  store.close()
  await new Promise((resolve) => setTimeout(resolve, 5))
  const restarted = new Store({ memory: '1mb' })
  restarted.set('a', '1')
  const first = restarted.gets('a')!.cas
  for (const token of seen) assert.ok(first > token, 'greater than all before the restart')
  restarted.close()
})

test('options that cannot be are refused', () => {
  const bad = [
    { memory: 1000 },
    { memory: 'much' },
    { memory: '1tb' },
    { memory: Number.NaN },
    { memory: '17gb' },
    { memory: '1mb', itemMax: '1mb' },
    { itemMax: 10 },
    { threads: 0 },
    { threads: 1.5 },
    { threads: 1000 },
    { pinnedShare: 2 },
    { pinnedShare: -0.1 },
    { pinnedPrefixes: [''] },
    { pinnedPrefixes: ['p'.repeat(251)] },
  ]
  for (const options of bad) assert.throws(() => new Store(options), StoreArgumentError, JSON.stringify(options))
  assert.equal(parseSize('1.5k', 'size'), 1536)
  assert.equal(parseSize(' 2 MB ', 'size'), 2 ** 21)
})

test('arguments that cannot be are refused, and change nothing', () => {
  const store = new Store({ memory: '1mb' })
  store.set('a', '1')
  const any = (value: unknown) => value as never
  const bad: (() => unknown)[] = [
    () => store.get(''),
    () => store.get('k'.repeat(251)),
    () => store.get('漢'.repeat(84)),
    () => store.get(new Uint8Array(0)),
    () => store.get(new Uint8Array(251)),
    () => store.get(any(7)),
    () => store.get(any(undefined)),
    () => store.set('a', any(7)),
    () => store.set('a', any(undefined)),
    () => store.set('a', '2', { ttlMs: Number.NaN }),
    () => store.set('a', '2', { ttlMs: Number.POSITIVE_INFINITY }),
    () => store.set('a', '2', { flags: -1 }),
    () => store.set('a', '2', { flags: 2 ** 32 }),
    () => store.set('a', '2', { flags: 0.5 }),
    () => store.incr('a', -1),
    () => store.incr('a', 0.5),
    () => store.incr('a', 2n ** 64n),
    () => store.flush(Number.NaN),
  ]
  for (const call of bad) assert.throws(call, StoreArgumentError, String(call))
  assert.equal(Buffer.from(store.get('a')!).toString(), '1')
  store.set('a', 'text')
  assert.throws(() => store.incr('a'), NotANumberError)
  assert.equal(store.incr('missing'), undefined)
  for (const key of ['k'.repeat(250), '漢'.repeat(83), '\0', new Uint8Array([0, 255])]) {
    store.set(key, 'kept')
    assert.equal(Buffer.from(store.get(key)!).toString(), 'kept')
  }
  store.close()
})
