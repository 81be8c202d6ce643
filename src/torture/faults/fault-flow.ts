/** One direction of a connection through the fault proxy: bytes go on late, in pieces, cut short, or not at all. */
import type { Socket } from 'node:net'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'

/** What befalls a direction once `at` of its bytes have been passed on; at 0, before the first. */
export type Mishap =
  /** Nothing more is said, and it is said so. */
  | { at: number; what: 'fin' }
  /** Both directions of the connection are reset. */
  | { at: number; what: 'rst' }
  /** Nothing more is passed on, and nobody is told: half-open. */
  | { at: number; what: 'silence' }
  /** Bytes that nobody sent; with `afterLine`, at the next end of a line. */
  | { at: number; what: 'insert'; bytes: string; afterLine?: boolean }
  /** The next `count` bytes are lost. */
  | { at: number; what: 'drop'; count: number }
  | { at: number; what: 'pause'; ms: number }
  /** What comes before and after travels apart. */
  | { at: number; what: 'split' }

const lineFeed = 10

/**
 * Cuts what comes into what travels together, and hands each piece on when it may travel, or never: for whoever knows what the bytes
 * mean. `reset` ends both directions of the connection.
 */
export type Sieve = (chunk: Buffer, reset: () => void) => AsyncIterable<Buffer>

export interface Fault {
  /** Each chunk is held back for so long. Milliseconds. */
  delayMs?: number
  /** So many bytes at the beginning travel one by one. */
  bytewise?: number
  /** Sorted by `at`. */
  mishaps?: readonly Mishap[]
  /** Instead of the above. */
  sieve?: Sieve
}

export interface Surroundings {
  /** Resolves when bytes may travel. */
  passable(): Promise<void> | undefined
  /** True when nothing is slowed down any more. */
  healed(): boolean
  reset(): void
  /** True while what is said in this direction is lost. */
  lost(): boolean
}

export class FaultFlow {
  #position = 0
  #dropping = 0
  #lastByte = lineFeed
  #silent = false
  #chunks: Buffer[] = []
  #ended = false
  #wake: (() => void) | undefined
  readonly #to: Socket
  readonly #fault: Fault
  readonly #mishaps: Mishap[]
  readonly #around: Surroundings

  constructor(from: Socket, to: Socket, fault: Fault, around: Surroundings) {
    this.#to = to
    this.#fault = fault
    this.#mishaps = [...(fault.mishaps ?? [])]
    this.#around = around
    from.on('data', (chunk) => this.#arrived(chunk))
    from.on('end', () => this.#arrived(undefined))
    void this.#run()
  }

  #arrived(chunk: Buffer | undefined): void {
    if (chunk === undefined) this.#ended = true
    else this.#chunks.push(chunk)
    this.#wake?.()
  }

  async #run(): Promise<void> {
    for (;;) {
      while (!this.#silent && this.#isDue()) await this.#befall(this.#mishaps.shift()!)
      if (this.#silent) return
      if (this.#chunks.length === 0) {
        if (this.#ended) break
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        if (this.#fault.delayMs !== undefined && !this.#around.healed()) await sleep(this.#fault.delayMs)
        continue
      }
      if (this.#fault.sieve !== undefined) {
        await this.#sift(this.#fault.sieve, this.#chunks.shift()!)
        continue
      }
      await this.#around.passable()
      this.#pass(this.#cut())
      if (this.#bytewise) await turn()
    }
    await this.#around.passable()
    if (!this.#to.destroyed) this.#to.end()
  }

  async #sift(sieve: Sieve, chunk: Buffer): Promise<void> {
    for await (const piece of sieve(chunk, () => this.#around.reset())) {
      await this.#around.passable()
      this.#write(piece)
    }
  }

  get #bytewise(): boolean {
    return this.#position < (this.#fault.bytewise ?? 0) && !this.#around.healed()
  }

  #cut(): Buffer {
    const chunk = this.#chunks[0]
    const mostHere = this.#bytewise ? 1 : Math.min(chunk.length, this.#untilMishap(chunk))
    if (mostHere < chunk.length) this.#chunks[0] = chunk.subarray(mostHere)
    else this.#chunks.shift()
    return chunk.subarray(0, mostHere)
  }

  #isDue(): boolean {
    const next = this.#mishaps[0]
    if (next === undefined || next.at > this.#position) return false
    return next.what !== 'insert' || next.afterLine !== true || this.#lastByte === lineFeed
  }

  /** How many bytes of the chunk may pass before the next mishap has to be looked at. */
  #untilMishap(chunk: Buffer): number {
    const next = this.#mishaps[0]
    if (next === undefined) return chunk.length
    if (next.at > this.#position) return next.at - this.#position
    const lineEnd = chunk.indexOf(lineFeed)
    return lineEnd < 0 ? chunk.length : lineEnd + 1
  }

  #pass(bytes: Buffer): void {
    const lost = Math.min(this.#dropping, bytes.length)
    this.#dropping -= lost
    this.#position += bytes.length
    this.#lastByte = bytes[bytes.length - 1]
    if (lost < bytes.length) this.#write(bytes.subarray(lost))
  }

  #write(bytes: Buffer | string): void {
    if (this.#to.writable && !this.#around.lost())
      this.#to.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  async #befall(mishap: Mishap): Promise<void> {
    if (mishap.what === 'pause') await sleep(mishap.ms)
    else if (mishap.what === 'split') await turn()
    else if (mishap.what === 'insert') this.#write(mishap.bytes)
    else if (mishap.what === 'drop') this.#dropping += mishap.count
    else {
      this.#silent = true
      if (mishap.what === 'fin') this.#to.end()
      if (mishap.what === 'rst') this.#around.reset()
    }
  }
}
