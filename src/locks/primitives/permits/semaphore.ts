/** A counting semaphore: a number of permits, each a lock. */
import { LockArgumentError } from '../../errors.js'
import type { Lock } from '../../lock.js'
import { LockGroup } from '../../lock-group.js'
import { checkKeys, type Wanted, wantedOf } from '../../settings.js'
import type { AcquireOptions } from '../../types.js'
import { type BodyWith, unlessBusy, usingIt } from '../../using.js'
import { wholeNumber } from '../count.js'
import type { Ground } from '../ground.js'
import { semaphorePlaces } from './places.js'
import { type PermitsInfo, Turnstile } from './turnstile.js'

export interface SemaphoreOptions {
  /** How many hold one at a time, 1 to 256. All who use the semaphore have to agree: where they do not, the greatest number counts. */
  permits: number
}

/** As for a lock, and how many permits. */
export interface PermitsOptions extends AcquireOptions {
  /** All of them or none, as one LockGroup. At most those of the semaphore. */
  permits: number
}

/** Options of one who takes one permit. */
export type PermitOptions = AcquireOptions & { permits?: undefined }

export class Semaphore {
  readonly name: string
  readonly permits: number
  readonly #defaults: Wanted
  readonly #turnstile: Turnstile

  /** @internal */
  constructor(ground: Ground, name: string, options: SemaphoreOptions) {
    checkKeys(options, { permits: true })
    const places = semaphorePlaces(name, options.permits)
    this.name = name
    this.permits = places.slots.length
    this.#defaults = ground.defaults
    this.#turnstile = new Turnstile(ground, places)
  }

  /**
   * One permit or, with `permits`, as many. A permit is a lock whose name is that of its slot, `name/3`: its fence is greater than those of
   * earlier holders of that slot, and is not to be compared with those of others. Who has to wait does so in order, as far as the
   * driver keeps one. Rejects as `acquire` of a lock does.
   */
  acquire(options?: PermitOptions): Promise<Lock>
  acquire(options: PermitsOptions): Promise<LockGroup>
  async acquire(options: PermitOptions | PermitsOptions = {}): Promise<Lock | LockGroup> {
    const { count, wanted } = this.#wanted(options)
    if (count === undefined) return this.#turnstile.permit({ wanted })
    return new LockGroup(await this.#turnstile.permits({ wanted }, count))
  }

  /** As `acquire`, but undefined, and only that, when there are not enough permits, or others wait for them. */
  tryAcquire(options?: PermitOptions): Promise<Lock | undefined>
  tryAcquire(options: PermitsOptions): Promise<LockGroup | undefined>
  tryAcquire(options: PermitOptions | PermitsOptions = {}): Promise<Lock | LockGroup | undefined> {
    return unlessBusy(this.acquire(options as PermitsOptions))
  }

  /** Runs `body` with a permit, or several, and releases when that has settled, as which it settles. `signal` aborts when one is lost. */
  using<T>(body: BodyWith<Lock, T>): Promise<T>
  using<T>(options: PermitOptions, body: BodyWith<Lock, T>): Promise<T>
  using<T>(options: PermitsOptions, body: BodyWith<LockGroup, T>): Promise<T>
  using<T>(...rest: unknown[]): Promise<T> {
    return usingIt(this.name, rest, (options) => this.acquire(options as PermitsOptions))
  }

  /** Who holds permits and who waits. Rejects with LockUnavailableError when no server tells. */
  inspect(): Promise<PermitsInfo> {
    return this.#turnstile.inspect()
  }

  #wanted(options: PermitOptions | PermitsOptions): { count: number | undefined; wanted: Wanted } {
    if (typeof options !== 'object' || options === null) throw new LockArgumentError('options are an object', this.name)
    const { permits, ...others } = options
    const wanted = wantedOf(others, this.#defaults)
    return {
      count: permits === undefined ? undefined : wholeNumber(permits, 'permits', 1, this.permits, this.name),
      wanted,
    }
  }
}
