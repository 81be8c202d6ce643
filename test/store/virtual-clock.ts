import type { Clock } from 'latchkey/store'

/** A clock that stands still until it is told to move on. */
export class VirtualClock implements Clock {
  #ms = 1000

  now(): number {
    return this.#ms
  }

  advance(ms: number): void {
    this.#ms += ms
  }
}
