/** Races between real threads: nothing is lost, and each has one winner. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Store } from 'latchkey/store'
import { runCrew } from './crew.js'
import { violations } from './invariants.js'
import type { RaceJob } from './threads-worker.js'

const worker = new URL('./threads-worker.js', import.meta.url)

/** Lets the threads race, and asserts that none was kept from a single operation for a second. */
async function race(store: Store, kind: RaceJob['race'], rounds: number, threads: number): Promise<Int32Array> {
  const wins = new Int32Array(new SharedArrayBuffer(rounds * 4))
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const longest = await runCrew<RaceJob, number>(store, worker, threads, { race: kind, rounds, threads, gate, wins })
  for (const ms of longest) assert.ok(ms < 1000, `an operation took ${ms} ms`)
  assert.deepEqual(violations(store.handle), [])
  return wins
}

const textOf = (store: Store, key: string) => Buffer.from(store.get(key)!).toString()

for (const threads of [2, 4]) {
  test(`${threads} threads count together and lose nothing`, async () => {
    const store = new Store({ memory: '4mb' })
    store.set('counter', '0')
    await race(store, 'incr', 100_000, threads)
    assert.equal(textOf(store, 'counter'), String(100_000 * threads))
    store.close()
  })

  test(`of ${threads} threads that add, one wins, in each of 100,000 rounds`, async () => {
    const store = new Store({ memory: '64mb' })
    const wins = await race(store, 'add', 100_000, threads)
    assert.ok(wins.every((count) => count === 1))
    assert.equal(store.stats().currItems, 100_000)
    store.close()
  })

  test(`${threads} threads that compare and swap lose no update`, async () => {
    const store = new Store({ memory: '4mb' })
    store.set('swapped', '0')
    await race(store, 'cas', 10_000, threads)
    assert.equal(textOf(store, 'swapped'), String(10_000 * threads))
    store.close()
  })

  test(`${threads} threads that append lose nothing`, async () => {
    const store = new Store({ memory: '4mb' })
    store.set('list', '')
    await race(store, 'append', 2500, threads)
    const words = textOf(store, 'list').split(';').slice(0, -1)
    assert.equal(words.length, 2500 * threads)
    assert.equal(new Set(words).size, words.length)
    for (let number = 0; number < threads; number++) {
      const own = words.filter((word) => word.startsWith(`${number}:`))
      assert.deepEqual(own, [...own].sort(), 'in the order in which its thread appended them')
    }
    store.close()
  })
}
