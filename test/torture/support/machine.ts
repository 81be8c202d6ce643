/** A participant's machine: it can be stopped, and then nothing of it happens before it goes on. */
import type { VirtualTime } from '../../locks/support/virtual-time.js'

export class Machine {
  readonly who: number
  readonly #time: VirtualTime
  #stoppedUntil = 0
  #isDead = false

  constructor(who: number, time: VirtualTime) {
    this.who = who
    this.#time = time
  }

  get isDead(): boolean {
    return this.#isDead
  }

  stop(ms: number): void {
    this.#stoppedUntil = Math.max(this.#stoppedUntil, this.#time.now() + ms)
  }

  kill(): void {
    this.#isDead = true
  }

  /** So many milliseconds pass, and then it goes on: later when it is stopped, and never when it is dead. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const goOn = () => {
        if (this.#isDead) return
        const leftMs = this.#stoppedUntil - this.#time.now()
        if (leftMs > 0) this.#time.timer(leftMs, goOn)
        else resolve()
      }
      this.#time.timer(ms, goOn)
    })
  }
}
