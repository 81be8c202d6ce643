/** A read-write lock: many read at a time, or one writes. */
import { LockArgumentError } from '../../errors.js'
import type { Lock } from '../../lock.js'
import { checkKeys, type Wanted, wantedOf } from '../../settings.js'
import type { AcquireOptions } from '../../types.js'
import { type BodyWith, unlessBusy, usingIt } from '../../using.js'
import type { Ground } from '../ground.js'
import { readWritePlaces } from './places.js'
import { type PermitsInfo, Turnstile } from './turnstile.js'
import { WriteLock } from './write-lock.js'

const READERS = 16
const UNFENCED = 'reads are not ordered among each other; who writes has a fence'

export interface ReadWriteOptions {
  /**
   * How many read at a time, 1 to 256; default 16. A writer takes as many locks. All who use the lock have to agree: a writer that knows of
   * fewer readers does not wait for all of them.
   */
  readers?: number
}

export class ReadWriteLock {
  readonly name: string
  readonly readers: number
  readonly #defaults: Wanted
  readonly #turnstile: Turnstile

  /** @internal */
  constructor(ground: Ground, name: string, options: ReadWriteOptions) {
    checkKeys(options, { readers: true })
    const places = readWritePlaces(name, options.readers ?? READERS)
    this.name = name
    this.readers = places.slots.length
    this.#defaults = ground.defaults
    this.#turnstile = new Turnstile(ground, places)
  }

  /**
   * Nobody writes while it is held. Who has to wait, for a writer that is there or waits or since there are so many readers, does so in order,
   * as far as the driver keeps one. It has no fence. Rejects as `acquire` of a lock does.
   */
  async read(options: AcquireOptions = {}): Promise<Lock> {
    const wanted = unfenced(wantedOf(options, this.#defaults))
    if (options.guarantee === 'fenced') throw new LockArgumentError(`a read lock has no fence: ${UNFENCED}`, this.name)
    return this.#turnstile.permit({ wanted, unfenced: UNFENCED })
  }

  /** As `read`, but undefined, and only that, when it would have to wait. */
  tryRead(options: AcquireOptions = {}): Promise<Lock | undefined> {
    return unlessBusy(this.read(options))
  }

  /**
   * Nobody else writes or reads while it is held. Those who come while it waits or writes have their turn after it, readers too. Rejects as
   * `acquire` of a lock does.
   */
  async write(options: AcquireOptions = {}): Promise<WriteLock> {
    const wanted = wantedOf(options, this.#defaults)
    const locks = await this.#turnstile.everything({ wanted }, { wanted: unfenced(wanted), unfenced: UNFENCED })
    return new WriteLock(this.name, locks)
  }

  /** As `write`, but undefined, and only that, when it would have to wait. */
  tryWrite(options: AcquireOptions = {}): Promise<WriteLock | undefined> {
    return unlessBusy(this.write(options))
  }

  /** Runs `body` with a read lock, and releases it when that has settled, as which it settles. */
  usingRead<T>(body: BodyWith<Lock, T>): Promise<T>
  usingRead<T>(options: AcquireOptions, body: BodyWith<Lock, T>): Promise<T>
  usingRead<T>(...rest: unknown[]): Promise<T> {
    return usingIt(this.name, rest, (options) => this.read(options))
  }

  /** The same with a write lock. */
  usingWrite<T>(body: BodyWith<WriteLock, T>): Promise<T>
  usingWrite<T>(options: AcquireOptions, body: BodyWith<WriteLock, T>): Promise<T>
  usingWrite<T>(...rest: unknown[]): Promise<T> {
    return usingIt(this.name, rest, (options) => this.write(options))
  }

  /** Who reads, or writes, and who waits. Rejects with LockUnavailableError when no server tells. */
  inspect(): Promise<PermitsInfo> {
    return this.#turnstile.inspect()
  }
}

function unfenced(wanted: Wanted): Wanted {
  return { ...wanted, guarantee: wanted.guarantee === 'efficiency' ? 'efficiency' : 'lease' }
}
