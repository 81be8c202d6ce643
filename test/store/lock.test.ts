/** The lock of one word: it excludes, wakes its waiters, gives up in time, and can be taken from the dead. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { StoreLockTimeoutError } from 'latchkey/store'
import { acquire, Contention, isHeldBy, ownerWord, release, seize } from '#dist/store/lock.js'

const cells = () => new Int32Array(new SharedArrayBuffer(256))

test('a lock is taken, held and given back', () => {
  const words = cells()
  assert.equal(acquire(words, 0, ownerWord(3), 10), Contention.None)
  assert.ok(isHeldBy(words[0]!, ownerWord(3)))
  assert.ok(!isHeldBy(words[0]!, ownerWord(2)))
  release(words, 0)
  assert.equal(words[0], 0)
})

test('a lock that is not given back is given up in time, and stays with its holder', () => {
  const words = cells()
  acquire(words, 0, ownerWord(0), 10)
  assert.throws(() => acquire(words, 0, ownerWord(1), 30), StoreLockTimeoutError)
  assert.ok(isHeldBy(words[0]!, ownerWord(0)))
  release(words, 0)
  assert.equal(acquire(words, 0, ownerWord(1), 10), Contention.None)
})

test('a lock is seized from its holder alone', () => {
  const words = cells()
  assert.equal(seize(words, 0, ownerWord(0), ownerWord(1)), false, 'free')
  acquire(words, 0, ownerWord(0), 10)
  assert.equal(seize(words, 0, ownerWord(2), ownerWord(1)), false, "another's")
  assert.equal(seize(words, 0, ownerWord(0), ownerWord(1)), true)
  assert.ok(isHeldBy(words[0]!, ownerWord(1)))
  release(words, 0)
  assert.equal(words[0], 0)
})

test('four threads at one lock: one at a time, and none is left asleep', async () => {
  const words = cells()
  const rounds = 40_000
  const workers = [0, 1, 2, 3].map(
    (number) => new Worker(new URL('./lock-worker.js', import.meta.url), { workerData: { words, number, rounds } }),
  )
  const counts = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as number[]))
  assert.equal(words[16], 4 * rounds)
  assert.equal(words[0], 0)
  assert.ok(
    counts.some((count) => count[Contention.Waited]! > 0),
    'some had to sleep',
  )
})

test('who waits for a dead thread gets the lock once it is seized and given back', async () => {
  const words = cells()
  acquire(words, 0, ownerWord(9), 10)
  const worker = new Worker(new URL('./lock-worker.js', import.meta.url), {
    workerData: { words, number: 1, rounds: 1 },
  })
  const message = once(worker, 'message')
  while ((Atomics.load(words, 0) & 1) === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(seize(words, 0, ownerWord(9), ownerWord(0)))
  release(words, 0)
  await message
  assert.equal(words[16], 1)
})
