/** Waiting in PostgreSQL's queue. */
import type { Call, Claim } from '../../driver.js'
import { refusalOf } from '../postgres/asking.js'
import type { Database } from '../postgres/database.js'
import type { Session } from './session.js'

/** Who is given the advisory lock and says nothing for so long loses it again. */
const SILENT_MS = 2000
/** SQLSTATEs: `lock_timeout` was over; somebody, or `statement_timeout`, has ended the statement. */
const TIMED_OUT = '55P03'
const CANCELLED = '57014'

/** `cut`: PostgreSQL has ended the wait before its time. */
export type Turn = 'first' | 'over' | 'cut'

/**
 * Whether it is the first in the queue now, which takes `waitMs` at most. Who aborts has left the queue
 * when this rejects with the reason, or is the first. Nothing is written down. `enter` is the statement that waits.
 */
export async function waitTurn(
  database: Database,
  enter: string,
  session: Session,
  { key, name }: Claim,
  waitMs: number,
  call: Call,
): Promise<Turn> {
  const leaving = new Leaving(database, session, name, call)
  const patient = { clock: call.clock, deadlineMs: waitMs + call.deadlineMs }
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
  #cancelled: Promise<unknown> | undefined
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
    this.#call.signal?.removeEventListener('abort', this.#leave)
    await this.#cancelled
    clearTimeout(this.#late)
  }

  readonly #leave = (): void => {
    const { clock, deadlineMs } = this.#call
    const values = [this.#session.greeting.pid]
    const cancel = this.#database.ask(
      'changes',
      this.#name,
      { clock, deadlineMs },
      'SELECT pg_cancel_backend($1)',
      values,
    )
    this.#cancelled = cancel.catch(() => {})
    // It hangs: PostgreSQL will find out that nobody is there.
    this.#late = setTimeout(() => this.#session.end(), deadlineMs)
  }
}
