/** Waiting in PostgreSQL's queue. */
import type { Call, Claim } from '../../driver.js'
import { refusalOf } from '../postgres/asking.js'
import type { Database } from '../postgres/database.js'
import type { Session } from './session.js'

/** Who is given the advisory lock and says nothing for so long loses it again. */
const SILENT_MS = 2000
const CANCEL = 'SELECT pg_cancel_backend($1)'
const AGAIN_MS = 50
/** SQLSTATEs: `lock_timeout` was over; somebody, or `statement_timeout`, has ended the statement. */
const TIMED_OUT = '55P03'
const CANCELLED = '57014'

/** `cut`: PostgreSQL has ended the wait before its time. */
export type Turn = 'first' | 'over' | 'cut'

/**
 * Whether it is the first in the queue now, which takes `waitMs` at most. When this rejects with the signal's reason, PostgreSQL has ended
 * the wait, or is not heard of. `enter` is the statement that waits. Nothing is written down by it.
 */
export async function waitTurn(
  database: Database,
  enter: string,
  session: Session,
  { key, name, waitMs }: Claim,
  call: Call,
): Promise<Turn> {
  const leaving = new Leaving(database, session, name, call)
  const patient = { clock: call.clock, deadlineMs: waitMs + call.deadlineMs }
  session.touch()
  try {
    await session.watch(name, call)
    call.signal?.throwIfAborted()
    await session.ask('changes', name, patient, enter, [key, `${Math.ceil(waitMs)}`, SILENT_MS])
    session.locks()
    return 'first'
  } catch (error) {
    call.signal?.throwIfAborted()
    const code = refusalOf(error)
    if (code === TIMED_OUT) return 'over'
    if (code === CANCELLED) return 'cut'
    throw error
  } finally {
    await leaving.end()
  }
}

/** Has PostgreSQL end the wait when the signal aborts. */
class Leaving {
  readonly #database: Database
  readonly #session: Session
  readonly #name: string
  readonly #call: Call
  #isOver = false
  #cancelled: Promise<unknown> | undefined
  #again: NodeJS.Timeout | undefined
  #late: NodeJS.Timeout | undefined

  constructor(database: Database, session: Session, name: string, call: Call) {
    this.#database = database
    this.#session = session
    this.#name = name
    this.#call = call
    call.signal?.addEventListener('abort', this.#leave, { once: true })
  }

  /** What was sent has come by then: whatever is asked next is not meant. */
  async end(): Promise<void> {
    this.#isOver = true
    this.#call.signal?.removeEventListener('abort', this.#leave)
    clearTimeout(this.#again)
    await this.#cancelled
    clearTimeout(this.#late)
  }

  readonly #leave = (): void => {
    // It hangs: PostgreSQL will find out that nobody is there.
    this.#late ??= setTimeout(() => this.#session.end(), this.#call.deadlineMs)
    this.#cancelled = this.#cancel()
  }

  async #cancel(): Promise<void> {
    const { clock, deadlineMs } = this.#call
    const values = [this.#session.greeting.pid]
    await this.#database.ask('changes', this.#name, { clock, deadlineMs }, CANCEL, values).catch(() => {})
    // It may have overtaken the statement that it was to end.
    if (!this.#isOver) this.#again = setTimeout(this.#leave, AGAIN_MS)
  }
}
