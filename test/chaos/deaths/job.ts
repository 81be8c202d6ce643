/**
 * What the threads that are to die, those that are not and the one that kills tell each other: shared cells, since the dead
 * send no messages.
 */

/** Threads by what becomes of them. A lane is a place: when its thread dies, another takes it over with all its keys. */
export const SURVIVORS = [0, 1]
/** Terminated at any moment. */
export const MORTALS = [2, 3]
/** Stopped at a write to the shared memory that was drawn by lot, and terminated there. */
export const DOOMED = [4, 5]
export const LANES = SURVIVORS.length + MORTALS.length + DOOMED.length

export const HOT_KEYS = 12
export const PINNED_KEYS = 16
export const TURN_KEYS = 4

export const Cell = {
  Stop: 0,
  /** While it is 1, threads rest between two operations. */
  Pause: 1,
  Faults: 2,
  /** Items seen to be evicted, by whom they belong to or not. */
  Evicted: 3,
  /** Operations that gave up a locked stripe. */
  LockTimeouts: 4,
} as const

/** Cells of a lane. */
export const Lane = {
  State: 0,
  Operations: 1,
  /** What it is doing: an index of `DEEDS`. */
  Deed: 2,
  /** Writes to shared memory left to live; 0 for any number. */
  Fuse: 3,
  /** 1 when the fuse has burned down: the thread stands still there. */
  Parked: 4,
  Grants: 5,
} as const
const LANE_CELLS = 8
export const LaneState = { Absent: 0, Running: 1, Resting: 2 } as const

/** Whatever a thread can be in the middle of. */
export const DEEDS = [
  'between operations',
  'get',
  'set',
  'set of another size class',
  'add',
  'cas',
  'append',
  'prepend',
  'delete',
  'touch',
  'incr',
  'set that expires',
  'set of a pinned key',
  'set of a new small key',
  'claim, wait',
  'hand-over',
] as const
export type Deed = (typeof DEEDS)[number]

export interface DeathsJob {
  readonly seed: number
  readonly lane: number
  /** Of this thread: no other of the run has it. From 1. */
  readonly birth: number
  readonly cells: Int32Array
  readonly lanes: Int32Array
  readonly ledger: SharedArrayBuffer
  /** The greatest token seen of each key that all threads use, by `tokenAt`. */
  readonly tokens: BigInt64Array
  /** By turn key: the birth of its holder, 0 for none. */
  readonly holders: Int32Array
}

export function sharedCells(): Pick<DeathsJob, 'cells' | 'lanes' | 'tokens' | 'holders'> {
  const shared = (bytes: number) => new SharedArrayBuffer(bytes)
  return {
    cells: new Int32Array(shared(64)),
    lanes: new Int32Array(shared(LANES * LANE_CELLS * 4)),
    tokens: new BigInt64Array(shared((HOT_KEYS + PINNED_KEYS + 2 * TURN_KEYS) * 8)),
    holders: new Int32Array(shared(TURN_KEYS * 4)),
  }
}

/** A lane's cell. */
export function laneAt(lane: number, cell: number): number {
  return lane * LANE_CELLS + cell
}

/** Keys that all threads use, with their places among the tokens. */
export const hotKey = (i: number) => ({ key: `hot:${i}`, token: i })
export const pinnedKey = (i: number) => ({ key: `latchkey:lock:pinned:${i}`, token: HOT_KEYS + i })
/** Held until its holder lets go. */
export const turnKey = (i: number) => ({ key: `latchkey:lock:turn:${i}`, token: HOT_KEYS + PINNED_KEYS + i })
/** Held until it expires. */
export const briefKey = (i: number) => ({
  key: `latchkey:lock:brief:${i}`,
  token: HOT_KEYS + PINNED_KEYS + TURN_KEYS + i,
})
