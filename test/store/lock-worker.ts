/** Takes one lock word again and again, and counts under it in a cell that nothing else protects. */
import { parentPort, workerData } from 'node:worker_threads'
import { acquire, ownerWord, release } from '#dist/store/lock.js'

const { words, number, rounds } = workerData as { words: Int32Array; number: number; rounds: number }
const contentions = [0, 0, 0]
for (let round = 0; round < rounds; round++) {
  contentions[acquire(words, 0, ownerWord(number), 10_000)]! += 1
  words[16]! += 1
  // Now and then a holder dawdles, so that the others have to sleep.
  if (round % 1000 === 0) Atomics.wait(words, 32, 0, 1)
  release(words, 0)
}
parentPort!.postMessage(contentions)
