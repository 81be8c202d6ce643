/** A connection that one lock has for itself, and what PostgreSQL has been told on it. */
import type { Call } from '../../driver.js'
import { LockUnavailableError } from '../../errors.js'
import { askOn, type Effect, type PostgresClient, type Row, refusalOf } from '../postgres/asking.js'
import type { Greeting } from './greeting.js'
import { WATCH } from './statements.js'

/** Of a timer. */
const LONGEST_MS = 2 ** 31 - 1

export class Session {
  readonly greeting: Greeting
  readonly #client: PostgresClient
  readonly #reset: string
  readonly #key: string
  readonly #closed: (is: Session) => void
  /** What was asked has been answered, and it can be asked again. */
  #isSound = true
  #isOpen = true
  #isSet = false
  /** It has the advisory lock. */
  #hasLock = false
  #over: NodeJS.Timeout | undefined

  /** `reset` is the statement that undoes all. `closed` is called when the connection is the lock's no more. */
  constructor(client: PostgresClient, greeting: Greeting, reset: string, key: string, closed: (is: Session) => void) {
    this.#client = client
    this.greeting = greeting
    this.#reset = reset
    this.#key = key
    this.#closed = closed
    client.on('error', this.#ended)
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Can it be asked? If not, its last answer did not come. */
  get isSound(): boolean {
    return this.#isOpen && this.#isSound
  }

  /** What tells in a record that the lock is this connection's. */
  bind(record: string): string {
    const { pid, run } = this.greeting
    return `${record.slice(0, -1)},"b":"${pid}/${run}"}`
  }

  /** Rejects as a driver does. */
  async ask(effect: Effect, name: string, call: Call, text: string, values: unknown[]): Promise<Row[]> {
    call.signal?.throwIfAborted()
    if (!this.#isOpen) throw new LockUnavailableError(name, 'its connection has ended')
    try {
      return await askOn(this.#client, effect, name, call, text, values)
    } catch (error) {
      this.#isSound &&= refusalOf(error) !== undefined
      throw error
    }
  }

  /** Asks PostgreSQL to look whether it is still there while it waits. Where that cannot be, it does not. */
  async watch(name: string, { clock, deadlineMs }: Call): Promise<void> {
    await this.ask('changes', name, { clock, deadlineMs }, WATCH, []).catch((error) => {
      if (refusalOf(error) === undefined) throw error
    })
  }

  get hasLock(): boolean {
    return this.#hasLock
  }

  /** It may have an advisory lock or settings from now on, which have to be undone. */
  touch(): void {
    this.#isSet = true
  }

  /** It has the advisory lock from now on. */
  locks(): void {
    this.touch()
    this.#hasLock = true
  }

  /** Its lock is held for `lifeMs` from now, or until it is kept again. That alone keeps no process going. */
  keep(lifeMs: number): void {
    this.#client.unref?.()
    clearTimeout(this.#over)
    // As PostgreSQL does, which may be out of reach. Not before: if connections that end free locks, this would be too early.
    this.#over = setTimeout(() => this.end(), Math.min(lifeMs, LONGEST_MS)).unref()
  }

  /** Back to the pool, as it was, and without the lock; or to nobody, where that is not certain. Rejects never. */
  async giveBack({ clock, deadlineMs }: Call, mayBeUsed = true): Promise<void> {
    if (this.isSound && this.#isSet) {
      const call = { clock, deadlineMs }
      await this.askLast(this.#key, call, this.#reset, [], mayBeUsed).catch(() => {})
    }
    if (this.#isOpen) this.#close(this.isSound && !this.#isSet && mayBeUsed)
  }

  /** Something that also undoes all, and tells `whole` if it did: of the key, what was set before, and `values`. Then it is given back. */
  async askLast(name: string, call: Call, text: string, values: unknown[], mayBeUsed = true): Promise<Row[]> {
    const { idle, checked } = this.greeting
    const rows = await this.ask('changes', name, call, text, [this.#key, idle, checked, ...values])
    this.#close(rows[0]?.whole === true && mayBeUsed)
    return rows
  }

  /** PostgreSQL frees the lock as soon as it hears of it. */
  end(): void {
    if (this.#isOpen) this.#close(false)
  }

  #close(isWhole: boolean): void {
    this.#isOpen = false
    this.#closed(this)
    clearTimeout(this.#over)
    this.#client.ref?.()
    // One that has failed goes on telling so.
    if (isWhole) this.#client.removeListener('error', this.#ended)
    this.#client.release(!isWhole)
  }

  readonly #ended = () => this.end()
}
