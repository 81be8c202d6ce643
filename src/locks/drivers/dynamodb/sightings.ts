/**
 * When a lock of another is over. No clocks of two machines are compared for it: a version that was seen, and is still the same after a
 * whole lease by our own clock, has not been extended, and its lease counts from before it was seen. Only for locks that are over for
 * so long that no clock can be so wrong is the moment taken that the holder wrote down: who looks once a day would never see one twice.
 */
import { DRIFT } from '../../belief.js'
import { lifeMs } from '../life.js'

/** Those that are looked for are seen again and again. */
const MOST = 10_000

export interface Sighted {
  readonly key: string
  readonly version: string
  /** undefined for what is no lock, and never over. */
  readonly ttlMs: number | undefined
  /** Unix time in milliseconds, by the holder's clock. */
  readonly endsAt: number
}

export class Sightings {
  readonly #clockSkewMs: number
  readonly #first = new Map<string, { version: string; at: number }>()

  constructor(clockSkewMs: number) {
    this.#clockSkewMs = clockSkewMs
  }

  /** What ended before this moment of the holder's clock is over for everybody. */
  get longAgo(): number {
    return Date.now() - this.#clockSkewMs
  }

  /** How long it may last yet; undefined for ever. `now`: when the answer that told of it had come. */
  leftMs({ key, version, ttlMs, endsAt }: Sighted, now: number): number | undefined {
    if (ttlMs === undefined) return undefined
    const at = this.#firstAt(key, version, now)
    const lifespanMs = lifeMs(ttlMs * (1 + DRIFT))
    return Math.max(0, Math.min(at + lifespanMs - now, endsAt - this.longAgo))
  }

  forget(key: string): void {
    this.#first.delete(key)
  }

  #firstAt(key: string, version: string, now: number): number {
    const first = this.#first.get(key)
    if (first?.version === version) return first.at
    this.#first.delete(key)
    this.#first.set(key, { version, at: now })
    if (this.#first.size > MOST) this.#first.delete(this.#first.keys().next().value as string)
    return now
  }
}
