/**
 * The state of locks that outlives the server: who starts in the same directory learns for how long leases that were
 * given before may still be believed in, and above which number CAS tokens go on.
 */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { casEpochAt, type Inherited, type LeaseKeeper } from '../../store/index.js'
import { copyAside, type Files, readText, replaceText } from './file.js'
import { type Moments, systemMoments } from './moments.js'
import { type Occupancy, occupy } from './occupancy.js'
import { decodeState, encodeState, type StateRecord } from './record.js'

export const STATE_FILE = 'locks.state'
/** Nobody's tokens are ahead of the clock by as much as this, after a state that could not be read. */
const LOST_CEILING_MS = 365 * 24 * 3_600_000

/** Not made unasked: in place of a disk that is not mounted it would look like a first start, which waits for nobody. */
const MISSING =
  'it does not exist. If it is on a disk that is not mounted, mount that; for a first start make it, with mkdir'

/** Thrown when the state directory cannot be used: not there, not writable, in use by another server. */
export class LockStateError extends Error {
  readonly code = 'LOCK_STATE'

  constructor(dir: string, why: string) {
    super(`state directory ${dir}: ${why}`)
    this.name = 'LockStateError'
  }
}

/** What worker threads need to write the state: plain data. */
export interface LockStatePlace {
  readonly path: string
  /** Longest lease, of this start or of one before that may still be held, in ms. */
  readonly leaseMs: number
}

/** Writes the state on the thread that calls it. */
export function leaseKeeper(
  { path, leaseMs }: LockStatePlace,
  clean = false,
  moments: Moments = systemMoments,
  files?: Files,
): LeaseKeeper {
  return {
    write(lastsMs, ceiling) {
      const boot = moments.boot()
      const record: StateRecord = {
        clean,
        wallMs: moments.wallMs() + lastsMs,
        boot: boot && { id: boot.id, ms: boot.ms + lastsMs },
        leaseMs,
        ceiling,
      }
      replaceText(path, encodeState(record), files)
    },
    wallMs: () => moments.wallMs(),
  }
}

export class LockState {
  /** For the table. */
  readonly inherited: Inherited
  /** The file as it was found; undefined when there was none. */
  readonly text: string | undefined
  #place: LockStatePlace
  readonly #occupancy: Occupancy

  private constructor(inherited: Inherited, text: string | undefined, place: LockStatePlace, occupancy: Occupancy) {
    this.inherited = inherited
    this.text = text
    this.#place = place
    this.#occupancy = occupancy
  }

  get place(): LockStatePlace {
    return this.#place
  }

  /** A lease that lasts so long, in ms, came with the table: the next start must not think that there can be none. */
  reckonWith(leaseMs: number): void {
    this.#place = { ...this.#place, leaseMs: Math.max(this.#place.leaseMs, leaseMs) }
  }

  /**
   * Takes the directory and reads what is there. A file that cannot be understood is told of, kept as a copy, and
   * replaced: then as long is waited as any lease may last.
   * @throws LockStateError
   */
  static async open(
    dir: string,
    maxLeaseMs: number,
    log: (message: string) => void,
    moments: Moments = systemMoments,
  ): Promise<LockState> {
    const occupancy = await take(dir)
    try {
      const path = join(dir, STATE_FILE)
      const text = readText(path)
      const inherited = inherit(path, text, maxLeaseMs, log, moments)
      const leaseMs = Math.max(maxLeaseMs, inherited.graceMs)
      return new LockState(inherited, text, { path, leaseMs }, occupancy)
    } catch (error) {
      occupancy.leave()
      throw new LockStateError(dir, (error as Error).message)
    }
  }

  close(): void {
    this.#occupancy.leave()
  }
}

export function tellGrace(graceMs: number, log: (message: string) => void): void {
  if (graceMs === 0) return
  const seconds = Math.ceil(graceMs / 1000)
  log(`latchkey: locks that were given before may still be held: none is given for ${seconds} s`)
}

async function take(dir: string): Promise<Occupancy> {
  try {
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK)
    return await occupy(dir)
  } catch (error) {
    throw new LockStateError(dir, isMissing(error) ? MISSING : (error as Error).message)
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

function inherit(
  path: string,
  text: string | undefined,
  maxLeaseMs: number,
  log: (message: string) => void,
  moments: Moments,
): Inherited {
  if (text === undefined) return { casFloor: 0n, graceMs: 0, maxLeaseMs }
  const record = decodeState(text)
  if (typeof record !== 'string') return { casFloor: record.ceiling, graceMs: graceOf(record, moments), maxLeaseMs }
  const aside = copyAside(path)
  const casFloor = casEpochAt(moments.wallMs() + LOST_CEILING_MS)
  // In its place at once: this start may fail yet, and the next one must not find a directory that looks new.
  leaseKeeper({ path, leaseMs: maxLeaseMs }, false, moments).write(maxLeaseMs, casFloor)
  log(
    `latchkey: the lock state ${path} cannot be used: ${record}. It is kept as ${aside}. ` +
      'The longest lease there may be is waited for.',
  )
  return { casFloor, graceMs: maxLeaseMs, maxLeaseMs }
}

/**
 * For how long a lease of before may last: what the more cautious of the two clocks says, the wall's and, on the same boot
 * of the machine, that boot's, which nobody can set forward. A clock set back makes this longer, but never longer
 * than any lease was.
 */
export function graceOf({ boot, wallMs, leaseMs }: StateRecord, moments: Moments): number {
  const nowBoot = moments.boot()
  const byBootMs = boot !== undefined && boot.id === nowBoot?.id ? boot.ms - nowBoot.ms : 0
  return Math.min(Math.max(0, wallMs - moments.wallMs(), byBootMs), leaseMs)
}
