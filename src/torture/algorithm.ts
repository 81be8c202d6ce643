/** A way of changing something while nobody else does: what the laboratory gives it, and what it has to do. */
import type { Locks } from '../locks/index.js'
import type { FaultName } from './faults.js'
import type { Outcome, ViolationKind } from './history.js'
import type { AlgorithmHome } from './homes.js'
import type { Stranger } from './plan.js'

export interface Algorithm {
  /** For the command line and the table: `get-then-set`. */
  readonly name: string
  /** Of the museum; undefined for ours. */
  readonly row?: number
  /** In a sentence: what it does, and who published it. */
  readonly what: string
  /** The fault that its story names; of ours, undefined. */
  readonly story?: FaultName
  /** Where its locks are. */
  readonly home: AlgorithmHome
  /** How many servers. Default 1. */
  readonly servers?: number
  /** Each lock is on a majority of them all, and not on one. */
  readonly quorum?: boolean
  /** What somebody else can do to the lock's record. Default: set, touch and delete it. */
  readonly strangers?: readonly Stranger[]
  /** The lease that it takes, where that is its story. Default: as the plan has it, some seconds. */
  readonly ttlMs?: number
  /** The client library of those who published it. Default: errors are thrown, and no key moves. */
  readonly habits?: CacheHabits
  /** What counts against it. Default: overlaps and lost updates. */
  readonly counts?: readonly ViolationKind[]
  /** Faults under which two may believe for a while, and fences keep the earlier one's writes out: overlaps do not count there. */
  readonly mayOverlap?: readonly FaultName[]
  /** Faults for which it promises less, with what it says about that: counted all the same, and told so. */
  readonly exceeded?: Readonly<Partial<Record<FaultName, string>>>
  /** Faults that mean nothing to it, such as a flush to what is kept in the cache itself. */
  readonly without?: readonly FaultName[]
  /** Makes one change. What it throws is told to its user as `failed`. */
  change(hands: Hands, task: Task): Promise<Exclude<Outcome, 'cut'>>
  /** Where the set is kept in the cache itself: reads it when all is over. Default: it is in the resource. */
  readBack?(hands: Hands): Promise<readonly string[]>
}

export interface CacheHabits {
  /** An error or a missing answer is thrown, or told as a miss and as a plain no. Default `thrown`. */
  readonly errors?: 'thrown' | 'as a miss'
  /** Keys of a server that cannot be connected to fail, or go to the next server. Default `fail`. */
  readonly dead?: 'fail' | 'next server'
  /** What brought no answer is sent once more. Default false. */
  readonly retries?: boolean
}

/** What a participant has in hand, and all that it may use: no other clock, no other chance. */
export interface Hands {
  /** From 0. */
  readonly who: number
  readonly cache: Cache
  /** Of the algorithm's home. Made when first asked for. */
  readonly locks: Locks
  readonly resource: Resource
  /** Unix time in milliseconds, by the clock of the participant's machine. */
  now(): number
  sleep(ms: number): Promise<void>
  /** From 0, below 1. */
  random(): number
  /**
   * From now on the participant takes the lock for its own, until `end`; with `remainingMs`, as long as that is above 0. To be
   * called without an await after the lock was got.
   */
  believes(holding?: Holding): Belief
}

export interface Holding {
  readonly fence?: bigint | undefined
  readonly owner?: string | undefined
  remainingMs?(): number
}

export interface Belief {
  /** To be called before the release is sent: the server may carry that out at any moment from then on. */
  end(): void
}

export interface Task {
  /** Of the lock. */
  readonly name: string
  /** What is to be added to the set: different for every task. */
  readonly id: string
  readonly ttlMs: number
  readonly waitMs: number
  /** Aborts when the caller gives up. Those who never heard of such a thing do not look at it. */
  readonly signal: AbortSignal
  /** What takes its time between reading the set and writing it. */
  work(): Promise<void>
}

/** memcached as a client library shows it. Times to live are seconds; 0 is for ever. */
export interface Cache {
  get(key: string): Promise<string | undefined>
  gets(key: string): Promise<{ readonly value: string; readonly cas: bigint } | undefined>
  set(key: string, value: string, ttlS: number): Promise<boolean>
  add(key: string, value: string, ttlS: number): Promise<boolean>
  cas(key: string, value: string, cas: bigint, ttlS: number): Promise<boolean>
  delete(key: string): Promise<boolean>
}

/**
 * What is guarded: a list of ids in a database, which never fails and takes some milliseconds a step. Who gives a fence is refused with
 * StaleFenceError when a greater one was given before, to a read or to a write.
 */
export interface Resource {
  read(fence?: bigint): Promise<readonly string[]>
  write(ids: readonly string[], fence?: bigint): Promise<void>
  begin(): Transaction
}

/** What it writes is seen by others from when `commit` has been carried out. */
export interface Transaction {
  read(): Promise<readonly string[]>
  write(ids: readonly string[]): Promise<void>
  commit(): Promise<void>
}
