/**
 * The class of redlock 5 over our drivers: change the import and what the constructor is given, and keep the rest. docs/MIGRATING.md
 * says what is not as it was.
 */
import { EventEmitter } from 'node:events'
import {
  type AcquireOptions,
  LockArgumentError,
  type LockGroup,
  LockLostError,
  type Locks,
  LockUnavailableError,
} from '../../locks/index.js'
import { type Client, clientsOf, locksOf } from './clients.js'
import { ExecutionError } from './errors.js'
import { type ExecutionResult, execute, failedAtOnce, type Voting } from './execution.js'
import { Lock } from './lock.js'
import { type RedlockAbortSignal, routineSignal } from './routine-signal.js'
import { checkDuration, checkThreshold, driftMs, type Settings, settingsOf } from './settings.js'

/** What is done under a lock. */
export type Routine<T> = (signal: RedlockAbortSignal) => Promise<T>

/** Nothing is renewed: who wants that extends it, or takes `using`. */
const ONCE: AcquireOptions = { renew: false }
const WHILE_USED: AcquireOptions = { renew: true, maxHold: Number.POSITIVE_INFINITY }

/**
 * Emits `error` for each attempt that failed, ResourceLockedError where another holds the lock; nobody has to listen. Resources have
 * the names that our locks can have: no spaces, at most 200 bytes. Durations are those of the driver: at least 10 ms, and 2 s on
 * stock memcached.
 */
export class Redlock extends EventEmitter {
  readonly clients: ReadonlySet<Client>
  readonly settings: Settings
  readonly #locks: Locks
  readonly #ended = new AbortController()
  readonly #voting: Voting

  /**
   * `clients`: a driver, `[driver]`, locks from `createLocks`, or drivers of three, five or seven independent servers (memcached or
   * Latchkey). There are no scripts here. Throws LockArgumentError for anything else.
   */
  constructor(clients: Client | Iterable<Client>, settings?: Partial<Settings>, scripts?: Record<string, never>) {
    super()
    this.settings = settingsOf(settings)
    if (scripts !== undefined && Object.keys(scripts).length > 0) {
      throw new LockArgumentError('there are no scripts to change here: what they did is done by the driver')
    }
    const given = clientsOf(clients)
    this.clients = new Set(given)
    this.#locks = locksOf(given)
    this.#voting = {
      voter: given[0],
      ended: this.#ended.signal,
      onAgainst: (error) => this.emit('error', error),
    }
    // Else an `error` that nobody listens to would end the process.
    this.on('error', () => {})
  }

  /** Ends what waits, releases what is held, and closes the driver or locks that it was given. */
  async quit(): Promise<void> {
    this.#ended.abort()
    await this.#locks.close()
  }

  /**
   * All of the resources or none; one that is named twice counts once. `duration` is in milliseconds. Rejects with ExecutionError
   * when that did not succeed within the attempts of the settings, and then leaves nothing behind; LockArgumentError for what no
   * lock could be.
   */
  async acquire(resources: readonly string[], duration: number, settings?: Partial<Settings>): Promise<Lock> {
    return this.#acquire(resources, duration, settingsOf(settings, this.settings), ONCE)
  }

  /**
   * Rejects with ExecutionError when the lock had ended before, or the server has not answered: then it ends by itself. The settings are
   * only checked: a release is tried again for as long as the deadline of the locks says.
   */
  async release(lock: Lock, settings?: Partial<Settings>): Promise<ExecutionResult> {
    const { group } = ours(lock)
    const once = { ...settingsOf(settings, this.settings), retryCount: 0 }
    const { attempts } = await execute(this.#voting, once, () => releaseSurely(group))
    return { attempts }
  }

  /**
   * A new lease of `duration` milliseconds from now on, and a new lock for it. Rejects with ExecutionError when the lock has ended,
   * without asking anybody, or is found to be another's; it is never made anew.
   */
  async extend(existing: Lock, duration: number, settings?: Partial<Settings>): Promise<Lock> {
    checkDuration(duration)
    const wanted = settingsOf(settings, this.settings)
    const { group } = ours(existing)
    if (existing.expiration === 0) throw new ExecutionError('the lock has ended and cannot be extended', [])
    const { attempts } = await execute(this.#voting, wanted, () => group.extend(duration))
    return existing.replace(attempts, driftMs(duration, wanted))
  }

  /**
   * Runs `routine` with the lock, renewed until it has settled, and releases it. Settles as `routine` does; but when that has succeeded
   * and the lock was lost meanwhile, it rejects with ExecutionError.
   */
  using<T>(resources: readonly string[], duration: number, settings: Partial<Settings>, routine: Routine<T>): Promise<T>
  using<T>(resources: readonly string[], duration: number, routine: Routine<T>): Promise<T>
  async using<T>(
    resources: readonly string[],
    duration: number,
    settingsOrRoutine: Partial<Settings> | Routine<T>,
    optional?: Routine<T>,
  ): Promise<T> {
    const [given, routine] =
      typeof settingsOrRoutine === 'function' ? [undefined, settingsOrRoutine] : [settingsOrRoutine, optional]
    if (typeof routine !== 'function') throw new LockArgumentError('using takes a function as its last argument')
    const settings = settingsOf(given, this.settings)
    checkDuration(duration)
    checkThreshold(duration, settings)
    const lock = await this.#acquire(resources, duration, settings, WHILE_USED)
    return this.#run(lock, routine)
  }

  async #run<T>(lock: Lock, routine: Routine<T>): Promise<T> {
    const { group } = lock
    const explain = () => failedAtOnce(this.#voting, group.signal.reason)
    const signal = routineSignal(group.signal, () => group.state === 'lost', explain)
    let result: T
    try {
      result = await routine(signal)
    } catch (error) {
      // What the routine has to tell is not hidden by what became of the lock.
      await lock.release().catch(() => {})
      throw error
    }
    await lock.release()
    return result
  }

  async #acquire(
    resources: readonly string[],
    duration: number,
    settings: Settings,
    keeping: AcquireOptions,
  ): Promise<Lock> {
    checkDuration(duration)
    const names = [...new Set(resources)]
    const drift = driftMs(duration, settings)
    const { value, attempts } = await execute(this.#voting, settings, (wait) =>
      this.#attempt(names, { ...keeping, ttl: duration, wait }, drift),
    )
    return new Lock(this, resources, value, attempts, drift)
  }

  /** A lock that would be over for its user already is none. */
  async #attempt(names: readonly string[], options: AcquireOptions, drift: number): Promise<LockGroup> {
    const group = await this.#locks.acquire(names, options)
    if (group.remainingMs() > drift) return group
    await group.release()
    throw new LockUnavailableError(names.join(' '), 'its lease is not longer than the drift that is kept off it')
  }
}

async function releaseSurely(group: LockGroup): Promise<void> {
  const outcome = await group.release()
  const names = group.names.join(' ')
  if (outcome === 'lost') throw new LockLostError(names, 'it had ended before it was released')
  if (outcome === 'unknown') throw new LockUnavailableError(names, 'the server has not told whether it is released')
}

function ours(lock: unknown): Lock {
  if (lock instanceof Lock) return lock
  throw new LockArgumentError('this is no lock of latchkey/compat/redlock')
}
