/** One who waits at a barrier: what it has written, what it knows of that, and what it takes back. */
import type { Version } from '../../driver.js'
import { LockAmbiguousError, LockArgumentError, LockError, OutcomeUnknownError } from '../../errors.js'
import type { Base } from '../base.js'
import type { Cell, Seen } from '../cell.js'
import { checkId, markOf } from './arrivals.js'
import type { Arrival, BarrierState } from './barrier-state.js'

/** Where our arrival is written, or may be. */
interface Place {
  readonly epoch: string
  readonly generation: number
  /** We were told so, or have seen it. */
  readonly isCertain: boolean
  /** The version that it was to replace: once there is another, a request that was lost cannot be carried out any more. */
  readonly before: Version | undefined
}

export class BarrierWait {
  readonly #cell: Cell<BarrierState>
  readonly #name: string
  readonly #parties: number
  readonly #me: Arrival
  readonly #newEpoch: string
  #place: Place | undefined
  /** As it was last seen. */
  #missing: number

  /** Throws LockArgumentError. */
  constructor(
    base: Base,
    cell: Cell<BarrierState>,
    barrier: { name: string; parties: number },
    id: string | undefined,
  ) {
    const token = base.site.environment.owner()
    this.#cell = cell
    this.#name = barrier.name
    this.#parties = barrier.parties
    this.#me = { party: markOf(id === undefined ? token : checkId(id, barrier.name)), token: markOf(token) }
    this.#newEpoch = markOf(`${token} epoch`)
    this.#missing = barrier.parties
  }

  get missing(): number {
    return this.#missing
  }

  /** The generation, once it has opened for us; arrives first, if that is still to be done, or was forgotten. */
  async look(signal: AbortSignal): Promise<number | undefined> {
    const seen = await this.#cell.read(signal)
    const state = this.#known(seen)
    const passed = this.#passed(state)
    if (passed !== undefined) return passed
    if (this.#counts(state)) {
      this.#place = { ...this.#place!, isCertain: true }
      this.#missing = this.#parties - state.arrived.length
      return undefined
    }
    if (!this.#isPending(seen)) this.#place = undefined
    return await this.#arrive(state ?? this.#empty(), seen.version, signal)
  }

  /**
   * Takes the arrival back, if it may be there. Resolves with the generation if it opened meanwhile. Rejects with LockAmbiguousError when the
   * server does not tell.
   */
  async leave(): Promise<number | undefined> {
    if (this.#place === undefined) return undefined
    let passed: number | undefined
    try {
      await this.#cell.change((seen) => {
        const state = this.#known(seen)
        passed = this.#passed(state)
        if (passed !== undefined) return undefined
        const { arrived, ...rest } = state ?? this.#empty()
        const others = arrived.filter(({ token }) => token !== this.#me.token)
        // Written also where nothing changes: then what is still on its way comes too late.
        return others.length < arrived.length || this.#isPending(seen) ? { ...rest, arrived: others } : undefined
      })
      return passed
    } catch (error) {
      if (error instanceof LockAmbiguousError || !(error instanceof LockError)) throw error
      throw this.#ambiguous(error.message, error)
    }
  }

  async #arrive(state: BarrierState, before: Version | undefined, signal: AbortSignal): Promise<number | undefined> {
    const { epoch, generation } = state
    const arrived = [...state.arrived.filter(({ party }) => party !== this.#me.party), this.#me]
    const isLast = arrived.length >= this.#parties
    const next = isLast
      ? { ...state, generation: generation + 1, arrived: [], passed: arrived.map(({ token }) => token) }
      : { ...state, arrived }
    const isWritten = await this.#write(next, { epoch, generation, isCertain: false, before }, signal)
    if (isWritten) this.#missing = this.#parties - arrived.length
    return isWritten && isLast ? generation : undefined
  }

  /** False: not by this request or, if its reply was lost, it is not known. */
  async #write(next: BarrierState, place: Place, signal: AbortSignal): Promise<boolean> {
    const earlier = this.#place
    this.#place = place
    try {
      const version = await this.#cell.swap(next, place.before, signal)
      this.#place = version === undefined ? earlier : { ...place, isCertain: true }
      return version !== undefined
    } catch (error) {
      if (error instanceof OutcomeUnknownError) return false
      if (!signal.aborted) this.#place = earlier
      throw error
    }
  }

  /** The generation in which we were counted, if that is over. */
  #passed(state: BarrierState | undefined): number | undefined {
    const place = this.#place
    if (place === undefined || state?.epoch !== place.epoch || state.generation <= place.generation) return undefined
    if (place.isCertain || state.passed.includes(this.#me.token)) return place.generation
    if (state.generation === place.generation + 1) return undefined
    throw this.#ambiguous('it has opened more than once since then')
  }

  /** Is our party among those who have arrived? By this wait or, under the same id, by a later one. */
  #counts(state: BarrierState | undefined): state is BarrierState {
    const place = this.#place
    if (place === undefined || state?.epoch !== place.epoch || state.generation !== place.generation) return false
    const { party, token } = this.#me
    return state.arrived.some((one) => one.token === token || (place.isCertain && one.party === party))
  }

  /** May a request of ours that was lost still be carried out? */
  #isPending({ version }: Seen<BarrierState>): boolean {
    const place = this.#place
    return place !== undefined && !place.isCertain && place.before === version
  }

  #known({ state }: Seen<BarrierState>): BarrierState | undefined {
    if (state === undefined || state.parties === this.#parties) return state
    const why = `${this.#name} is for ${state.parties} parties, as others say, not for ${this.#parties}`
    throw new LockArgumentError(why, this.#name)
  }

  #empty(): BarrierState {
    return { epoch: this.#newEpoch, parties: this.#parties, generation: 0, arrived: [], passed: [] }
  }

  #ambiguous(why: string, cause?: unknown): LockAmbiguousError {
    return new LockAmbiguousError(this.#name, why, { cause }, 'the arrival counts')
  }
}
