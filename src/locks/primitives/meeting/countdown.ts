/** A count of arrivals, by the names of those who arrive: who is not sure whether it was counted arrives again. */
import type { Span } from '../../../time/index.js'
import { ArrivalTimeoutError, LockArgumentError } from '../../errors.js'
import { checkName } from '../../names.js'
import { checkKeys } from '../../settings.js'
import type { Base } from '../base.js'
import { Cell } from '../cell.js'
import { wholeNumber } from '../count.js'
import { checkId, keptMs, markOf, marksIn } from './arrivals.js'
import { patiently, type WaitOptions, waitMsOf } from './patience.js'

export interface CountdownOptions {
  /** How many have to arrive: 1 to 300. All who use the name have to say the same. */
  count: number
  /** So long after the last arrival it is forgotten, and begins anew: 1 s to 30 days. Default 1d. */
  ttl?: Span
}

interface State {
  readonly count: number
  /** Not kept once all are there. */
  readonly arrived: readonly string[]
  readonly done: boolean
}

const MOST = 300

/** Made by `countdown`; nothing is sent by that. */
export class Countdown {
  readonly name: string
  readonly count: number
  readonly #base: Base
  readonly #cell: Cell<State>

  /** @internal */
  constructor(base: Base, name: string, options: CountdownOptions) {
    checkKeys(options, { count: true, ttl: true })
    this.name = checkName(name)
    this.count = wholeNumber(options.count, 'count', 1, MOST, name)
    const ttlMs = keptMs(options.ttl ?? '1d')
    this.#base = base
    this.#cell = new Cell(base, { kind: 'countdown', name, ttlMs, encode, decode })
  }

  /**
   * Counts one who has arrived, and resolves with how many are missing then. `id`: who it is; arriving again under the same one counts once, so
   * it is what to give where this call may have to be repeated. Default: somebody new. Rejects with LockUnavailableError when it was not
   * counted, LockAmbiguousError when nobody could tell, LockArgumentError when others count to another number.
   */
  async arrive(id: string = this.#base.site.environment.owner()): Promise<number> {
    const mark = markOf(checkId(id, this.name))
    this.#base.closing.throwIfAborted()
    const { chores } = this.#base.site
    chores.begin()
    try {
      return this.#missing(await this.#cell.change(({ state }) => this.#counted(state, mark)))
    } finally {
      chores.end()
    }
  }

  /** How many are missing. Rejects with LockUnavailableError. */
  async remaining(): Promise<number> {
    return this.#missing((await this.#cell.read()).state)
  }

  /**
   * Resolves when all have arrived. Rejects with ArrivalTimeoutError when they have not within `wait`, LockUnavailableError when the
   * server could not be asked at the end of it, and with the reason of `signal`.
   */
  async wait(options: WaitOptions = {}): Promise<void> {
    const waitMs = waitMsOf(options)
    let missing = this.count
    const done = await patiently(this.#base, waitMs, options.signal, async (signal) => {
      missing = this.#missing((await this.#cell.read(signal)).state)
      return missing === 0 ? true : undefined
    })
    if (done === undefined) throw new ArrivalTimeoutError(this.name, waitMs, missing)
  }

  /** undefined: it has been counted, or all are there. */
  #counted(state: State | undefined, mark: string): State | undefined {
    if (this.#missing(state) === 0 || state?.arrived.includes(mark)) return undefined
    const arrived = [...(state?.arrived ?? []), mark]
    const { count } = this
    return arrived.length === count ? { count, arrived: [], done: true } : { count, arrived, done: false }
  }

  #missing(state: State | undefined): number {
    if (state === undefined) return this.count
    if (state.count === this.count) return state.done ? 0 : this.count - state.arrived.length
    throw new LockArgumentError(`${this.name} counts to ${state.count} for others, not to ${this.count}`, this.name)
  }
}

const VERSION = 1

function encode({ count, arrived, done }: State): string {
  return JSON.stringify({ v: VERSION, count, arrived: arrived.join(''), done })
}

function decode(text: string): State | undefined {
  try {
    const { v, count, arrived, done } = JSON.parse(text)
    const marks = marksIn(arrived)
    return v === VERSION && Number.isInteger(count) && marks !== undefined ? { count, arrived: marks, done } : undefined
  } catch {
    return undefined
  }
}
