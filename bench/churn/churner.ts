import { BatchBuilder } from '../support/batch.js'
import { type Random, seededRandom } from '../support/random.js'
import { Wire } from '../support/wire.js'

const setsInFlight = 50
const overwrittenKeys = 200_000
const overwriteShare = 0.7
const ttlShare = 0.1
const ttlSecondsMax = 30

/** One connection that stores without end: most sets overwrite with another size, the others bring new keys. */
export class Churner {
  /** Replies other than STORED, and how often each came. */
  readonly refusals = new Map<string, number>()
  readonly #batch = new BatchBuilder()
  readonly #random: Random
  #newKeys = 0

  private constructor(
    readonly wire: Wire,
    readonly number: number,
  ) {
    this.#random = seededRandom(number + 1)
  }

  static async open(port: number, number: number): Promise<Churner> {
    return new Churner(await Wire.open(port), number)
  }

  async store(sets: number): Promise<void> {
    for (let sent = 0; sent < sets; ) {
      for (; sent < sets && this.#batch.count < setsInFlight && this.#batch.hasRoom; sent++) this.#addSet()
      const lines = this.#batch.count
      const reply = await this.wire.exchange(this.#batch.take(), lines)
      if (reply.length !== lines * 'STORED\r\n'.length) this.#noteRefusals(reply)
    }
  }

  #noteRefusals(reply: Buffer): void {
    for (const line of reply.toString('latin1').split('\r\n').slice(0, -1)) {
      if (line !== 'STORED') this.refusals.set(line, (this.refusals.get(line) ?? 0) + 1)
    }
  }

  close(): void {
    this.wire.close()
  }

  #addSet(): void {
    const random = this.#random
    const overwrites = random() < overwriteShare
    const key = overwrites ? `old:${Math.floor(random() * overwrittenKeys)}` : `new:${this.number}:${this.#newKeys++}`
    const ttlSeconds = random() < ttlShare ? 1 + Math.floor(random() * ttlSecondsMax) : 0
    this.#batch.set(key, ttlSeconds, valueBytes(random))
  }
}

/** 16 to 8,192 bytes, log-uniform: about 1,300 on average. */
function valueBytes(random: Random): number {
  return Math.floor(16 * 512 ** random())
}
