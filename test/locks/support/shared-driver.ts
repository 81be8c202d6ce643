/**
 * A driver for one lock in shared memory, in real time: any thread that has the buffer can make it. Its cells are used under a
 * lock of their own. Where told to, it ends the thread that extends.
 */
import { isMainThread } from 'node:worker_threads'
import {
  type Call,
  type Claim,
  type ClaimResult,
  type Facts,
  type Found,
  type Lease,
  type LockDriver,
  LockUnavailableError,
} from 'latchkey/locks'

export interface SharedOptions {
  readonly buffer: SharedArrayBuffer
}

enum Cell {
  Mutex,
  Version,
  EndsAtUs,
  OwnerHigh,
  OwnerLow,
  /** How often it was extended by another thread than the main one. */
  Helped,
  /** Not 0: a helper that extends ends at once. */
  Deadly,
  /** Not 0: a helper that extends hangs. */
  Hanging,
  /** Not 0: no extension is answered. */
  Away,
  Count,
}

export function newSharedLock(): SharedOptions {
  return { buffer: new SharedArrayBuffer(Cell.Count * 8) }
}

export class SharedDriver implements LockDriver {
  readonly kind = 'shared'
  readonly remake: LockDriver['remake']
  readonly #cells: BigInt64Array

  constructor(options: SharedOptions) {
    this.#cells = new BigInt64Array(options.buffer)
    this.remake = { module: import.meta.url, options }
  }

  get isFree(): boolean {
    return this.#found('') === undefined
  }

  get helped(): number {
    return Number(this.#cells[Cell.Helped])
  }

  set deadly(deadly: boolean) {
    this.#cells[Cell.Deadly] = deadly ? 1n : 0n
  }

  set hanging(hanging: boolean) {
    this.#cells[Cell.Hanging] = hanging ? 1n : 0n
  }

  set away(away: boolean) {
    this.#cells[Cell.Away] = away ? 1n : 0n
  }

  async claim({ key, name, holder, ttlMs }: Claim, { clock }: Call): Promise<ClaimResult> {
    const from = clock.now()
    return this.#locked(() => {
      if (this.#found(key) !== undefined) return { status: 'busy', found: this.#found(key), queued: false }
      this.#cells[Cell.OwnerHigh] = BigInt.asIntN(64, BigInt(`0x${holder.owner.slice(0, 16)}`))
      this.#cells[Cell.OwnerLow] = BigInt.asIntN(64, BigInt(`0x${holder.owner.slice(16)}`))
      const version = this.#live(ttlMs)
      return { status: 'held', lease: { key, name, holder, fence: version, version, from, granularityMs: 0 } }
    })
  }

  async extend(lease: Lease, ttlMs: number, { clock }: Call): Promise<Lease | undefined> {
    const from = clock.now()
    if (!isMainThread && this.#cells[Cell.Deadly] !== 0n) process.exit(1)
    if (!isMainThread && this.#cells[Cell.Hanging] !== 0n) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    if (this.#cells[Cell.Away] !== 0n) throw new LockUnavailableError(lease.name, 'away')
    return this.#locked(() => {
      if (this.#found(lease.key)?.version !== lease.version) return undefined
      if (!isMainThread) this.#cells[Cell.Helped]++
      return { ...lease, version: this.#live(ttlMs), from }
    })
  }

  async release(key: string, version: bigint): Promise<boolean> {
    return this.#locked(() => {
      if (this.#found(key)?.version !== version) return false
      this.#cells[Cell.EndsAtUs] = 0n
      return true
    })
  }

  async find(key: string): Promise<Found | undefined> {
    return this.#locked(() => this.#found(key))
  }

  async *list(): AsyncGenerator<Found> {}

  async facts(): Promise<Facts> {
    throw new Error('nobody asks')
  }

  async close(): Promise<void> {}

  #found(key: string): Found | undefined {
    const version = this.#cells[Cell.Version]
    if (this.#cells[Cell.EndsAtUs] <= nowUs()) return undefined
    const owner = [Cell.OwnerHigh, Cell.OwnerLow].map((cell) =>
      BigInt.asUintN(64, this.#cells[cell]).toString(16).padStart(16, '0'),
    )
    return { key, holder: { owner: owner.join('') }, fence: version, version, leftMs: undefined, waiters: undefined }
  }

  #live(ttlMs: number): bigint {
    this.#cells[Cell.EndsAtUs] = nowUs() + BigInt(Math.round(ttlMs * 1000))
    return ++this.#cells[Cell.Version]
  }

  #locked<T>(run: () => T): T {
    while (Atomics.compareExchange(this.#cells, Cell.Mutex, 0n, 1n) !== 0n);
    try {
      return run()
    } finally {
      Atomics.store(this.#cells, Cell.Mutex, 0n)
    }
  }
}

function nowUs(): bigint {
  return process.hrtime.bigint() / 1000n
}

export default (options: SharedOptions) => new SharedDriver(options)
