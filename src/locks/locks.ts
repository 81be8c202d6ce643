/** What users make first: all the locks of one way of keeping them. */
import { AT_ONCE, acquire } from './acquire.js'
import { Agenda } from './agenda.js'
import { Bag } from './bag.js'
import type { Held } from './belief.js'
import { Chores } from './chores.js'
import type { LockDriver } from './driver.js'
import { type Environment, systemEnvironment } from './environment.js'
import { LockUnavailableError } from './errors.js'
import { type Explanation, explain } from './explain.js'
import { HelperThread } from './helper/helper-thread.js'
import { ThreadKeeper } from './helper/thread-keeper.js'
import { lockInfo } from './info.js'
import { LeaseKeeper } from './lease-keeper.js'
import { linked, manyMayWait } from './linked.js'
import { Lock } from './lock.js'
import { LockGroup, refresh } from './lock-group.js'
import { look, lookAtAll, type ReleaseCondition, takeAway } from './looking.js'
import { checkBeginning, checkName, checkNames } from './names.js'
import { named } from './naming.js'
import type { Candidate } from './primitives/elections/candidate.js'
import type { CampaignOptions, ElectOptions, ObserveOptions } from './primitives/elections/election-options.js'
import { Elections } from './primitives/elections/elections.js'
import type { Leadership } from './primitives/elections/leadership.js'
import type { Ground } from './primitives/ground.js'
import type { Schedule } from './primitives/jobs/every.js'
import { Jobs } from './primitives/jobs/jobs.js'
import type { Job, OnceResult } from './primitives/jobs/once.js'
import type { EveryOptions, OnceOptions } from './primitives/jobs/once-options.js'
import type { RunRecord } from './primitives/jobs/run-record.js'
import { Barrier, type BarrierOptions } from './primitives/meeting/barrier.js'
import { Countdown, type CountdownOptions } from './primitives/meeting/countdown.js'
import { ReadWriteLock, type ReadWriteOptions } from './primitives/permits/read-write-lock.js'
import { Semaphore, type SemaphoreOptions } from './primitives/permits/semaphore.js'
import { regain } from './regain.js'
import { checkKeys, locksSettings, type Settings, type Wanted, wantedOf } from './settings.js'
import type { Site } from './site.js'
import { Tenure } from './tenure.js'
import { readTicket } from './ticket.js'
import { type Asking, asking } from './trace.js'
import type { AcquireOptions, LockInfo, LocksOptions } from './types.js'
import { type BodyWith, unlessBusy, usingIt } from './using.js'

/** What a lock has of its own when it is restored: its holder is written down already, and there is nothing to wait for. */
export type RestoreOptions = Pick<AcquireOptions, 'ttl' | 'maxHold' | 'maxStall' | 'renew' | 'signal'>

/** What is done with a lock. */
export type Body<T> = BodyWith<Lock, T>

/** Throws LockArgumentError for options that are none. `environment`: for those who have time and chance of their own. */
export function createLocks(driver: LockDriver, options: LocksOptions = {}, environment = systemEnvironment()): Locks {
  return new Locks(driver, options, environment)
}

export class Locks implements AsyncDisposable {
  readonly #site: Site
  readonly #settings: Settings
  readonly #held = new Bag<Lock>()
  readonly #closing = new AbortController()
  readonly #base: Ground
  readonly #jobs: Jobs
  readonly #elections: Elections
  #thread: HelperThread | undefined
  #closed: Promise<void> | undefined

  /** @internal */
  constructor(driver: LockDriver, options: LocksOptions, environment: Environment) {
    this.#settings = locksSettings(options)
    const { prefix, deadlineMs } = this.#settings
    this.#site = { driver, environment, prefix, deadlineMs, chores: new Chores(), agenda: new Agenda(environment) }
    manyMayWait(this.#closing.signal)
    this.#base = {
      site: this.#site,
      defaults: this.#settings.defaults,
      closing: this.#closing.signal,
      acquire: (name, options) => this.acquire(name, options),
      ready: async ({ renew }) => {
        if (renew === 'thread') await this.#helper().ready()
      },
      keep: (held, { wanted, unfenced }, asked) => this.#keep(held, wanted, asked, false, unfenced),
    }
    this.#jobs = new Jobs(this.#base)
    this.#elections = new Elections({ ...this.#base, acquire: this.#acquireInElection })
  }

  /**
   * One lock or, for several names, all of them or none. Rejects with LockBusyError when another holds it,
   * LockWaitTimeoutError when it still does after `wait`, LockUnavailableError when the server cannot be asked,
   * LockAmbiguousError when it did not tell whether the lock was acquired, LockArgumentError for a name or options that are
   * none, and with the reason of `signal`. Then there is nothing to release.
   */
  acquire(name: string, options?: AcquireOptions): Promise<Lock>
  acquire(names: readonly string[], options?: AcquireOptions): Promise<LockGroup>
  acquire(names: string | readonly string[], options?: AcquireOptions): Promise<Lock | LockGroup>
  async acquire(names: string | readonly string[], options: AcquireOptions = {}): Promise<Lock | LockGroup> {
    const wanted = wantedOf(options, this.#settings.defaults)
    const checked = Array.isArray(names) ? checkNames(names) : checkName(names)
    this.#closing.signal.throwIfAborted()
    if (wanted.renew === 'thread') await this.#helper().ready()
    // An acquisition that `close` ends has things to take away first.
    this.#site.chores.begin()
    try {
      return await (typeof checked === 'string' ? this.#acquireOne(checked, wanted) : this.#acquireAll(checked, wanted))
    } finally {
      this.#site.chores.end()
    }
  }

  /** As `acquire`, but undefined, and only that, when another holds it. */
  tryAcquire(name: string, options?: AcquireOptions): Promise<Lock | undefined>
  tryAcquire(names: readonly string[], options?: AcquireOptions): Promise<LockGroup | undefined>
  async tryAcquire(
    names: string | readonly string[],
    options: AcquireOptions = {},
  ): Promise<Lock | LockGroup | undefined> {
    return await unlessBusy(this.acquire(names, options))
  }

  /**
   * Runs `body` with the lock, and releases it when that has settled, as which it settles. `signal` is the lock's: stop when it
   * aborts. A lock that was lost meanwhile does not hide what `body` has to tell.
   */
  using<T>(name: string, body: Body<T>): Promise<T>
  using<T>(name: string, options: AcquireOptions, body: Body<T>): Promise<T>
  using<T>(name: string, ...rest: unknown[]): Promise<T> {
    return usingIt(name, rest, (options) => this.acquire(name, options))
  }

  /** Who holds it; undefined when it is free. Rejects with LockUnavailableError. */
  async inspect(name: string): Promise<LockInfo | undefined> {
    const found = await look(this.#site, checkName(name))
    return found && lockInfo(found, this.#site.prefix)
  }

  /** All locks whose names begin so, in no order. Reads through the whole cache on stock memcached. */
  async *list(namePrefix = ''): AsyncGenerator<LockInfo, void, undefined> {
    checkBeginning(namePrefix)
    for await (const found of lookAtAll(this.#site, namePrefix)) yield lockInfo(found, this.#site.prefix)
  }

  /**
   * Takes the lock from whoever holds it, who may be working still: its holder finds out at the next renewal. `ifFence` and
   * `ifOwner`: only from that holder. False when there was none. Rejects with LockUnavailableError.
   */
  async forceRelease(name: string, condition: ReleaseCondition = {}): Promise<boolean> {
    checkKeys(condition, { ifFence: true, ifOwner: true })
    return takeAway(this.#site, checkName(name), condition)
  }

  /** Which faults this configuration survives, for locks with this guarantee (default: that of these locks). */
  async explain(name = 'any', guarantee = this.#settings.defaults.guarantee): Promise<Explanation> {
    const key = this.#site.prefix + checkName(name)
    const { environment, deadlineMs, driver } = this.#site
    const facts = await driver.facts(key, { clock: environment.clock, deadlineMs }).catch((error) => {
      throw named(name, error)
    })
    return explain(facts, guarantee)
  }

  /**
   * Goes on with a lock that `serialize` wrote down, here or in another process: asks the server for it and begins a new lease.
   * Rejects with LockLostError when that acquisition holds it no more, LockUnavailableError when the server does not tell,
   * LockArgumentError for other text.
   */
  async restore(text: string, options: RestoreOptions = {}): Promise<Lock> {
    const ticket = readTicket(text)
    const written = wantedOf({ ttl: ticket.ttlMs, guarantee: ticket.guarantee }, this.#settings.defaults)
    const wanted = wantedOf(options, written)
    this.#closing.signal.throwIfAborted()
    if (wanted.renew === 'thread') await this.#helper().ready()
    const { signal, unlink } = linked(this.#closing.signal, wanted.signal)
    try {
      const asked = asking(this.#site, ticket.name, wanted, true)
      const regained = regain(this.#site, ticket, wanted.ttlMs, signal)
      return this.#keep(await (asked?.until(regained) ?? regained), wanted, asked, true)
    } finally {
      unlink()
    }
  }

  /**
   * Runs `job` under the lock of this name if nobody has begun it in this period, on any machine, and tells what happened. A period is judged
   * by this machine's wall clock, and used up once the job has begun, unless `retry` allows for more. Resolves with `ran: false` when it
   * was not this one's turn. Rejects with what `job` throws; and without having run it with LockUnavailableError, LockAmbiguousError (its
   * record may have been written), LockLostError, the reason of `signal`, and LockArgumentError, also where the driver has no registers.
   */
  once<T>(name: string, options: OnceOptions, job: Job<T>): Promise<OnceResult<T>> {
    return this.#jobs.once(name, options, job)
  }

  /**
   * Takes a turn at `once` as each period begins, until it is stopped: to be called on every machine. Whoever dies is followed, where `retry`
   * allows for it, by another within two leases. Throws LockArgumentError, and LockUnavailableError when these locks are closed.
   */
  every(name: string, options: EveryOptions, job: Job<unknown>): Schedule {
    return this.#jobs.every(name, options, job)
  }

  /**
   * The last run of `once` or `every` that is written down: who, when, and how it ended; undefined when none is known. Rejects with
   * LockUnavailableError, LockArgumentError.
   */
  lastRun(name: string): Promise<RunRecord | undefined> {
    return this.#jobs.lastRun(name)
  }

  /**
   * A count of arrivals, in all processes, for which anybody may wait. Throws LockArgumentError, also where the driver has no
   * registers; sends nothing.
   */
  countdown(name: string, options: CountdownOptions): Countdown {
    return new Countdown(this.#base, name, options)
  }

  /**
   * A place where so many parties, of any processes, wait for each other, again and again. Throws LockArgumentError, also where the driver
   * has no registers; sends nothing.
   */
  barrier(name: string, options: BarrierOptions): Barrier {
    return new Barrier(this.#base, name, options)
  }

  /**
   * Of this name, at most `permits` hold one at a time; each permit is a lock. Throws LockArgumentError for a name or a number that is none:
   * `name/gate` and `name/255` have to fit into a lock's name.
   */
  semaphore(name: string, options: SemaphoreOptions): Semaphore {
    return new Semaphore(this.#base, name, options)
  }

  /** Of this name, many read at a time or one writes. Throws LockArgumentError for a name or a number that is none. */
  readWrite(name: string, options: ReadWriteOptions = {}): ReadWriteLock {
    return new ReadWriteLock(this.#base, name, options)
  }

  /**
   * Stands for election until the candidate that is returned is stopped. Whoever holds the lock of this name, with a fence, is the leader:
   * terms do not overlap within the bounds of a lock, and their fences rise. It waits for its turn without end, also for servers that
   * cannot be asked, of which `onError` is told; after what this server can never do it stands no more. Throws LockArgumentError for a name
   * or options that are none, LockUnavailableError when these locks are closed.
   */
  elect(name: string, options: ElectOptions): Candidate {
    return this.#elections.elect(name, options)
  }

  /**
   * One term: resolves when elected. Rejects with the reason of `signal`, with LockUnavailableError when these locks are closed, and with
   * LockArgumentError for a name or options that are none, or that this server can never do.
   */
  campaign(name: string, options: CampaignOptions = {}): Promise<Leadership> {
    return this.#elections.campaign(name, options)
  }

  /**
   * Who leads: yields at first, and then whenever it has changed, undefined for nobody; never an older fence after a newer one. It
   * asks when it is asked, so that who comes late sees the last change only. While the server cannot be asked nothing is yielded. A lock
   * without a fence is no leader's. Ends with `signal`, or when these locks are closed.
   */
  observe(name: string, options: ObserveOptions = {}): AsyncGenerator<LockInfo | undefined, void> {
    return this.#elections.observe(name, options)
  }

  /**
   * Ends what waits (LockUnavailableError), and elections, whose leaders have their grace; releases what is held, takes away what is left,
   * and closes the driver.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    // Those who lead come to their end first, with all the locks that they may need for that.
    const elections = this.#elections.close()
    this.#closing.abort(new LockUnavailableError('any lock', 'these locks are closed'))
    await elections
    await Promise.all(Array.from(this.#held, (lock) => lock.release()))
    await this.#site.chores.finish()
    await this.#thread?.close()
    await this.#site.driver.close()
  }

  #acquireInElection = async (name: string, wanted: Wanted): Promise<Lock> => {
    if (wanted.renew === 'thread') await this.#helper().ready()
    return this.#acquireOne(name, wanted)
  }

  async #acquireOne(name: string, wanted: Wanted): Promise<Lock> {
    const { signal, unlink } = linked(this.#closing.signal, wanted.signal)
    try {
      const asked = asking(this.#site, name, wanted)
      const held = await acquire(this.#site, name, wanted, this.#until(wanted), signal, asked)
      const lock = this.#keep(held, wanted, asked)
      if (!signal.aborted) return lock
      await lock.release()
      throw signal.reason
    } finally {
      unlink()
    }
  }

  async #acquireAll(names: readonly string[], wanted: Wanted): Promise<LockGroup> {
    const { signal, unlink } = linked(this.#closing.signal, wanted.signal)
    const until = this.#until(wanted)
    const locks: Lock[] = []
    try {
      for (const name of names) {
        const asked = asking(this.#site, name, wanted)
        locks.push(this.#keep(await acquire(this.#site, name, wanted, until, signal, asked), wanted, asked))
      }
      await refresh(locks, wanted)
      signal.throwIfAborted()
      return new LockGroup(locks)
    } catch (error) {
      for (const lock of locks.toReversed()) await lock.release()
      throw error
    } finally {
      unlink()
    }
  }

  #until({ waitMs }: Wanted): number {
    return waitMs === 0 ? AT_ONCE : this.#site.environment.clock.now() + waitMs
  }

  /** Waited for before anything is sent: one that does not start is no way to keep a lock. Throws LockArgumentError where there can be none. */
  #helper(): HelperThread {
    if (this.#thread === undefined || this.#thread.isDead) this.#thread = new HelperThread(this.#site)
    return this.#thread
  }

  #keep(held: Held, wanted: Wanted, asked: Asking | undefined, restored = false, unfenced?: string): Lock {
    const helper = wanted.renew === 'thread' ? this.#helper() : undefined
    const tenure = new Tenure(this.#site, held.lease, wanted, restored, this.#held, asked)
    const keeper =
      helper === undefined
        ? new LeaseKeeper(this.#site, held, tenure)
        : new ThreadKeeper(this.#site, held, tenure, wanted.maxStallMs, helper)
    const lock = new Lock(keeper, wanted.guarantee, unfenced)
    // One whose lease is over already has told so, and is not to be released.
    if (keeper.ended() === undefined) tenure.enter(lock)
    return lock
  }
}
