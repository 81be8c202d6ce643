/**
 * A mutual exclusion lock in one word of shared memory, after the three states of Ulrich Drepper's "Futexes Are
 * Tricky" (mutex 3): free, held, held with waiters. Here the held states also name the owner, so that what a
 * dead thread held can be found:
 *
 *   0                      free
 *   owner << 1             held, nobody waits
 *   owner << 1 | 1         held, somebody may wait
 */
import { StoreLockTimeoutError } from './errors.js'

/** Loads of the word before sleeping: a stripe is held for well under a microsecond, a futex call costs several. */
const SPINS = 200
/**
 * A sleeper looks again after this long without being told. Wake-ups get lost when the thread they were sent to
 * dies before it takes the lock.
 */
const RECHECK_MS = 20
const WAITERS = 1

/** What a slow acquisition cost, for the contention counters. */
export const Contention = { None: 0, Spun: 1, Waited: 2 } as const
export type Contention = (typeof Contention)[keyof typeof Contention]

/** The lock word of thread slot `slot` when it holds a lock that nobody waits for. */
export function ownerWord(slot: number): number {
  return (slot + 1) << 1
}

/** True when `word` says that `owner` holds the lock, waited for or not. */
export function isHeldBy(word: number, owner: number): boolean {
  return (word & ~WAITERS) === owner
}

/**
 * Takes the lock at `words[at]` for `owner`.
 * @throws StoreLockTimeoutError after `timeoutMs`; the lock is then not held.
 */
export function acquire(words: Int32Array, at: number, owner: number, timeoutMs: number): Contention {
  if (Atomics.compareExchange(words, at, 0, owner) === 0) return Contention.None
  return acquireContended(words, at, owner, timeoutMs)
}

/** Takes the lock if it is free this moment. */
export function tryAcquire(words: Int32Array, at: number, owner: number): boolean {
  return Atomics.compareExchange(words, at, 0, owner) === 0
}

function acquireContended(words: Int32Array, at: number, owner: number, timeoutMs: number): Contention {
  if (spin(words, at, owner)) return Contention.Spun
  const startMs = performance.now()
  for (;;) {
    const seen = Atomics.load(words, at)
    const marked = seen | WAITERS
    if (seen !== 0 && (seen === marked || Atomics.compareExchange(words, at, seen, marked) === seen)) {
      Atomics.wait(words, at, marked, RECHECK_MS)
      if (performance.now() - startMs > timeoutMs) throw new StoreLockTimeoutError(timeoutMs)
    }
    // From here on taken as "held with waiters": others may sleep behind us, and only the word remembers them.
    // Spinning again makes up for the time that waking took, in which others may have come and gone.
    if (spin(words, at, owner | WAITERS)) return Contention.Waited
  }
}

function spin(words: Int32Array, at: number, word: number): boolean {
  for (let turn = 0; turn < SPINS; turn++) {
    if (Atomics.load(words, at) === 0 && Atomics.compareExchange(words, at, 0, word) === 0) return true
  }
  return false
}

/** Gives the lock back. Every plain store made under it is visible to the next holder: `exchange` orders them. */
export function release(words: Int32Array, at: number): void {
  if ((Atomics.exchange(words, at, 0) & WAITERS) !== 0) Atomics.notify(words, at, 1)
}

/** Takes over a lock that the dead thread `dead` held. False when it did not hold it. */
export function seize(words: Int32Array, at: number, dead: number, owner: number): boolean {
  for (;;) {
    const seen = Atomics.load(words, at)
    if (!isHeldBy(seen, dead)) return false
    // The waiters' mark is set whatever was there: one of them may just be adding it.
    if (Atomics.compareExchange(words, at, seen, owner | WAITERS) === seen) return true
  }
}
