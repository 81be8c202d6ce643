/** Time cut into periods of one length, which begin at multiples of it since 1970 (UTC), or so much later. */
export class Slots {
  readonly everyMs: number
  readonly #offsetMs: number

  constructor(everyMs: number, offsetMs: number) {
    this.everyMs = everyMs
    this.#offsetMs = offsetMs
  }

  /** When the period began that this moment lies in. Unix time in milliseconds. */
  at(wallMs: number): number {
    return Math.floor((wallMs - this.#offsetMs) / this.everyMs) * this.everyMs + this.#offsetMs
  }

  after(wallMs: number): number {
    return this.at(wallMs) + this.everyMs
  }
}
