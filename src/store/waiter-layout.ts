/**
 * Where those who wait lie in shared memory: adds that wait in their key's queue, and items bound to a connection. A buffer
 * of its own, of words:
 *
 *   ┌──────────────────┬───────────────────┬──────────────┬──────────────┬────
 *   │ signals: one for │ states: one for   │ waiter 1     │ waiter 2     │ …
 *   │ each thread slot │ each waiter       │ 1 KiB        │ 1 KiB        │
 *   └──────────────────┴───────────────────┴──────────────┴──────────────┴────
 *
 *   waiter
 *   ┌──────────┬─────────┬───────────────┬─────────────┬────────────────┬───────────────┐
 *   │ next,    │ arrival │ lengths, hash,│ CAS, ttl,   │ key, 0-padded  │ value, up to  │
 *   │ previous │         │ flags, options│ since when  │ to whole words │ 704 bytes     │
 *   └──────────┴─────────┴───────────────┴─────────────┴────────────────┴───────────────┘
 *
 * A state is one word that also names the owner's thread slot and the key's stripe, so that one `compareExchange` takes a
 * place and says for whom: a thread that dies leaves no nameless waiter, and a repair sees at once whose a waiter is. States
 * lie together because a thread that is signalled looks through those of its own. Waiters are numbered from 1; 0 says "none".
 */
import { KEY_MAX, THREAD_SLOTS } from './layout.js'

export const WaiterState = {
  Free: 0,
  /** Taken, and in nobody's queue: being filled in. Only its owner touches it. */
  Reserved: 1,
  /** In its stripe's queue. */
  Waiting: 2,
  /** The same, and its owner is to look when the key's item ends: somebody changed that. */
  Look: 3,
  /** Its item, with the token noted here, is just being made. Seen outside of the lock only after its thread died. */
  Granting: 4,
  /** It has the key: its owner is to take note. */
  Granted: 5,
  /** There was no memory for its item: likewise. */
  Refused: 6,
  /** Not a waiter: names an item, by key and token, that is to go when its owner's connection does. */
  Bound: 7,
} as const
export type WaiterState = (typeof WaiterState)[keyof typeof WaiterState]
export const STATE_MASK = 7
/** In the word of a state: the owner's thread slot plus one, and the stripe. */
const OWNER_SHIFT = 3
const OWNER_MASK = 0x1ff
const STRIPE_SHIFT = 12

export function stateWord(stripe: number, slot: number, state: WaiterState): number {
  return (stripe << STRIPE_SHIFT) | ((slot + 1) << OWNER_SHIFT) | state
}

export function stripeOfState(word: number): number {
  return word >>> STRIPE_SHIFT
}

/** −1 for a free place. */
export function ownerOfState(word: number): number {
  return ((word >>> OWNER_SHIFT) & OWNER_MASK) - 1
}

/** Words of a waiter. */
export const Waiter = {
  /** Neighbours in the stripe's queue: towards the newer end, towards the older. */
  Next: 0,
  Previous: 1,
  /** Counts up along a stripe's queue, so that the queue can be made anew. Wraps: only differences count. */
  Arrival: 3,
  KeyLength: 4,
  /** `first` of the key's hashes. */
  Hash: 5,
  ValueLength: 6,
  /** Client flags. */
  Flags: 7,
  /** The token it was granted, or is bound to. */
  CasHigh: 8,
  CasLow: 9,
  /** 1 when its item is to have the token noted here, not the next one. */
  HasOwnCas: 10,
  Key: 16,
  Value: 80,
} as const
/** As doubles, in units of 8 bytes. */
export const WaiterDouble = {
  /** Of its item, counted from when it gets the key. */
  TtlMs: 6,
  /** When it began to wait; once granted, when that was. Milliseconds since the store began. */
  SinceMs: 7,
} as const
export const WAITER_WORDS = 256
/** Bytes. */
export const WAITING_VALUE_MAX = (WAITER_WORDS - Waiter.Value) * 4

/** One waiter for so many bytes of memory, within bounds. Untouched ones cost nothing. */
const BYTES_PER_WAITER = 4096
const WAITERS_MIN = 256
const WAITERS_MAX = 4096

export function waitersFor(memory: number): number {
  return Math.max(WAITERS_MIN, Math.min(WAITERS_MAX, Math.floor(memory / BYTES_PER_WAITER)))
}

/** Word of the state of waiter 0, which there is not. */
export const WAITER_STATES = THREAD_SLOTS

/** Word at which waiter 0 would begin: whole waiters from the start, so that a waiter's words are aligned. */
export function waitersAt(waiters: number): number {
  return Math.ceil((WAITER_STATES + waiters + 1) / WAITER_WORDS) * WAITER_WORDS
}

export function waiterBytes(waiters: number): number {
  return (waitersAt(waiters) + (waiters + 1) * WAITER_WORDS) * 4
}

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`waiter layout: ${what}`)
}
must(Waiter.HasOwnCas < WaiterDouble.TtlMs * 2, 'the first words end before the doubles')
must(WaiterDouble.SinceMs * 2 + 2 <= Waiter.Key, 'the doubles end before the key')
must(Waiter.Key + Math.ceil(KEY_MAX / 4) <= Waiter.Value, 'a key fits before the value')
must(Waiter.Value % 2 === 0, 'a value begins at a whole double')
must(WaiterState.Bound <= STATE_MASK && STATE_MASK < 1 << OWNER_SHIFT, 'a state ends before its owner')
must(THREAD_SLOTS <= OWNER_MASK && OWNER_MASK << OWNER_SHIFT < 1 << STRIPE_SHIFT, 'an owner ends before the stripe')
