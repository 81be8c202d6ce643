/** How a helper thread knows that the thread it works for still lives: that writes the time into a shared cell. */
import { systemTime } from '../clock.js'

const BEAT_MS = 100

/** Beats while `beat` is called by a timer, which a blocked event loop does not run. */
export class Heartbeat {
  readonly buffer: SharedArrayBuffer
  readonly #cell: BigInt64Array
  #timer: NodeJS.Timeout | undefined

  constructor(buffer = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer
    this.#cell = new BigInt64Array(buffer)
  }

  start(): void {
    this.#beat()
    this.#timer ??= setInterval(() => this.#beat(), BEAT_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** False when it has been silent for so long. One that is only between two beats is not. */
  isHeardWithin(ms: number): boolean {
    const lastMs = Number(Atomics.load(this.#cell, 0)) / 1000
    return systemTime.monotonicMs() - lastMs <= Math.max(ms, 2 * BEAT_MS)
  }

  #beat(): void {
    Atomics.store(this.#cell, 0, BigInt(Math.floor(systemTime.monotonicMs() * 1000)))
  }
}
