/** What happened in a run, as the checker and the report have it: plain data, times in milliseconds from its beginning. */

export interface History {
  readonly beliefs: readonly BeliefSpan[]
  readonly updates: readonly Update[]
  /** Faults as they struck, and other things worth a word in a timeline. */
  readonly marks: readonly Mark[]
  /** What the servers did to the lock's record; empty where nobody can watch them. */
  readonly deeds: readonly Deed[]
  /** The shared set at the end. */
  readonly final: readonly string[]
  readonly endedAt: number
}

/** Somebody believed that the lock was theirs, in [from, to). */
export interface BeliefSpan {
  readonly who: number
  readonly from: number
  readonly to: number
  /** Decimal; a bigint cannot be written as JSON. */
  readonly fence?: string | undefined
  /** One for each acquisition, of those who have one. */
  readonly owner?: string | undefined
}

/** A change of the shared set, and what its maker told whoever asked for it. */
export interface Update {
  /** What was to be added to the set. */
  readonly id: string
  readonly who: number
  readonly from: number
  readonly to: number
  readonly outcome: Outcome
  /** Why not, in the maker's words. */
  readonly why?: string | undefined
}

/**
 * `done`: the change is made. `busy`: it did not get the lock. `failed`: an error, so that the change may or may not be made. `cut`: killed,
 * or not finished when the run ended.
 */
export type Outcome = 'done' | 'busy' | 'failed' | 'cut'

export interface Mark {
  readonly at: number
  readonly what: string
  /** undefined: not of one participant. */
  readonly who?: number | undefined
  /** How long it lasted, if it did. */
  readonly ms?: number | undefined
}

/** The record of a lock came, was given a new life, or went: by whose request, and whose it was. */
export interface Deed {
  readonly at: number
  readonly what: 'add' | 'change' | 'delete' | 'expire' | 'evict' | 'flush' | 'forget'
  readonly key: string
  /** Who asked; undefined for what the server does by itself. */
  readonly by?: number | undefined
  /** What the record said before and after; undefined: there was none. */
  readonly before?: string | undefined
  readonly after?: string | undefined
}

export interface Violation {
  readonly kind: ViolationKind
  readonly at: number
  /** In a sentence, for people. */
  readonly text: string
  readonly who: readonly number[]
}

/**
 * `overlap`: two believed at once. `lost update`: told as done, and not in the set. `fence order`: a later holder had no greater fence.
 * `ownership`: somebody freed or extended what was another's. `left over`: after a release the record is still there. `stuck`: free
 * far too late, or a waiter that never got it. `lost lock`: nothing struck, and a holder lost it.
 */
export type ViolationKind =
  | 'overlap'
  | 'lost update'
  | 'fence order'
  | 'ownership'
  | 'left over'
  | 'stuck'
  | 'lost lock'
