/** What one thread has in hand, and how it says what it is doing and what it found wrong. */
import { parentPort } from 'node:worker_threads'
import { Bytes, Store, StoreLockTimeoutError, StoreMemoryError, type Table } from 'latchkey/store'
import { fault } from '../../store/frames.js'
import { Random } from '../../store/random.js'
import { Cell, DEEDS, type DeathsJob, type Deed, Lane, laneAt } from './job.js'
import { Ledger } from './ledger.js'

const KEY_MAX = 250

export class Hands {
  readonly store: Store
  readonly random: Random
  readonly ledger: Ledger
  readonly #bytes = Bytes.allocate(KEY_MAX)

  constructor(
    readonly job: DeathsJob,
    table: Table,
  ) {
    this.store = new Store(table)
    this.random = new Random(job.seed + Math.imul(job.birth, 0x9e3779b1))
    this.ledger = new Ledger(job.ledger)
    table.onEviction({
      item: (view) => {
        view.copyKey(this.#bytes, 0)
        Atomics.add(job.cells, Cell.Evicted, 1)
        this.ledger.evicted(Buffer.from(this.#bytes.u8.buffer, 0, view.keyLength).toString('latin1'))
      },
    })
  }

  /** What is said last is what the thread died doing. */
  doing(deed: Deed): void {
    Atomics.store(this.job.lanes, laneAt(this.job.lane, Lane.Deed), DEEDS.indexOf(deed))
  }

  /** Twice: the dead send no messages, but what they have counted stays. */
  complain(what: string): void {
    Atomics.add(this.job.cells, Cell.Faults, 1)
    parentPort?.postMessage(`lane ${this.job.lane}, birth ${this.job.birth}: ${what}`)
  }

  /** @returns undefined when the store refused: a lock that was not free in time, or no memory. */
  attempt<T>(deed: Deed, act: () => T): T | undefined {
    this.doing(deed)
    try {
      return act()
    } catch (error) {
      this.#refused(error)
      return undefined
    } finally {
      this.doing('between operations')
    }
  }

  /** Reads a key of all threads: the value is whole and its own, and its token not older than any seen before. */
  read(key: string, token: number): { cas: bigint; value: Uint8Array } | undefined {
    const before = Atomics.load(this.job.tokens, token)
    const entry = this.attempt('get', () => this.store.gets(key))
    if (entry === undefined) return undefined
    const wrong = fault(key, entry.value)
    if (wrong !== undefined) this.complain(wrong)
    if (entry.cas < before) this.complain(`${key}: token ${entry.cas} after ${before}`)
    raise(this.job.tokens, token, entry.cas)
    return entry
  }

  #refused(error: unknown): void {
    if (error instanceof StoreLockTimeoutError) Atomics.add(this.job.cells, Cell.LockTimeouts, 1)
    else if (!(error instanceof StoreMemoryError)) this.complain(String(error))
  }
}

/** Makes the cell `token` if that is more. */
export function raise(tokens: BigInt64Array, at: number, token: bigint): void {
  for (let seen = Atomics.load(tokens, at); seen < token; ) {
    const found = Atomics.compareExchange(tokens, at, seen, token)
    if (found === seen) return
    seen = found
  }
}
