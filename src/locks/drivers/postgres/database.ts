/** The database behind the user's pool, as long as the driver is open. */
import type { Call } from '../../driver.js'
import { LockUnavailableError } from '../../errors.js'
import { ask, borrow, type Effect, type PostgresClient, type PostgresPool, type Row } from './asking.js'

/** Rows of holders that died, and registers that are over, are taken away so often, by who writes. */
const TIDY_MS = 600_000

export class Database {
  readonly #pool: PostgresPool
  readonly #tidying: string
  #tidiedAt: number | undefined
  #closed = false

  constructor(pool: PostgresPool, tidying: string) {
    this.#pool = pool
    this.#tidying = tidying
  }

  /** `lock` is for messages. Rejects as a driver does. */
  async ask(effect: Effect, lock: string, call: Call, text: string, values: unknown[]): Promise<Row[]> {
    this.#checkOpen(lock)
    return ask(this.#pool, effect, lock, call, text, values)
  }

  /** A connection for the asker, who has to release it. Rejects as a driver does. */
  async borrow(lock: string, call: Call): Promise<PostgresClient> {
    this.#checkOpen(lock)
    const client = await borrow(this.#pool, lock, call)
    if (this.#closed) client.release()
    this.#checkOpen(lock)
    return client
  }

  /** How many connections the pool lends at a time. */
  get most(): number {
    return this.#pool.options?.max ?? Number.POSITIVE_INFINITY
  }

  /** In the background: nobody waits for it, and it may fail. */
  tidy({ clock, deadlineMs }: Call): void {
    this.#tidiedAt ??= clock.now()
    if (clock.now() - this.#tidiedAt < TIDY_MS) return
    this.#tidiedAt = clock.now()
    this.ask('changes', 'any lock', { clock, deadlineMs }, this.#tidying, []).catch(() => {})
  }

  /** The pool is the user's. */
  close(): void {
    this.#closed = true
  }

  #checkOpen(lock: string): void {
    if (this.#closed) throw new LockUnavailableError(lock, 'these locks are closed')
  }
}
