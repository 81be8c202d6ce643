/**
 * A place where all wait for each other, again and again. A register has the generation, which is how often it has opened, and who has
 * arrived in it. Whoever arrives last opens it: it writes the next generation, in which nobody has arrived.
 */
import type { Span } from '../../../time/index.js'
import { ArrivalTimeoutError } from '../../errors.js'
import { checkName } from '../../names.js'
import { checkKeys } from '../../settings.js'
import type { Base } from '../base.js'
import { Cell } from '../cell.js'
import { wholeNumber } from '../count.js'
import { keptMs } from './arrivals.js'
import { type BarrierState, decodeBarrier, encodeBarrier } from './barrier-state.js'
import { BarrierWait } from './barrier-wait.js'
import { patiently, WAIT, type WaitOptions, waitMsOf } from './patience.js'

export interface BarrierOptions {
  /** How many have to arrive: 1 to 100. All who use the name have to say the same. */
  parties: number
  /**
   * So long after anybody has last arrived or left it is forgotten who has arrived; those who wait still arrive again by themselves. More
   * than anybody who waits may be paused for. 1 s to 30 days, default 1h.
   */
  ttl?: Span
}

export interface BarrierWaitOptions extends WaitOptions {
  /**
   * Who it is that arrives. A party that has died and been started again takes its own place under the same id; under a new one, which is the
   * default, it would count twice.
   */
  id?: string
}

const MOST_PARTIES = 100

/** Made by `barrier`; nothing is sent by that. */
export class Barrier {
  readonly name: string
  readonly parties: number
  readonly #base: Base
  readonly #cell: Cell<BarrierState>

  /** @internal */
  constructor(base: Base, name: string, options: BarrierOptions) {
    checkKeys(options, { parties: true, ttl: true })
    this.name = checkName(name)
    this.parties = wholeNumber(options.parties, 'parties', 1, MOST_PARTIES, name)
    const ttlMs = keptMs(options.ttl ?? '1h')
    this.#base = base
    this.#cell = new Cell(base, { kind: 'barrier', name, ttlMs, encode: encodeBarrier, decode: decodeBarrier })
  }

  /**
   * Arrives, and resolves when all have, with the number of the generation, from 0. Rejects with ArrivalTimeoutError when they have not within
   * `wait`, LockUnavailableError when the server could not be asked at the end of it, and with the reason of `signal`: then the arrival
   * has been taken back, unless the barrier opened meanwhile, which it resolves with. LockAmbiguousError: it may be counted still, or
   * all may have arrived. LockArgumentError: others wait for another number.
   */
  async wait(options: BarrierWaitOptions = {}): Promise<number> {
    const waitMs = waitMsOf(options, { ...WAIT, id: true })
    this.#base.closing.throwIfAborted()
    const { chores } = this.#base.site
    const waiting = new BarrierWait(this.#base, this.#cell, this, options.id)
    chores.begin()
    try {
      const passed = await patiently(this.#base, waitMs, options.signal, (signal) => waiting.look(signal))
      if (passed !== undefined) return passed
      throw new ArrivalTimeoutError(this.name, waitMs, waiting.missing)
    } catch (reason) {
      const passed = await waiting.leave()
      if (passed !== undefined) return passed
      throw reason
    } finally {
      chores.end()
    }
  }
}
