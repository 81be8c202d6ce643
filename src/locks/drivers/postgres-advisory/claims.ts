/** Taking a lock over a connection of its own, at once or when its turn has come. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Call, Claim, ClaimResult, Found, Version } from '../../driver.js'
import { OutcomeUnknownError } from '../../errors.js'
import { lifeMs } from '../life.js'
import { isBeaten, type Row } from '../postgres/asking.js'
import type { Database } from '../postgres/database.js'
import { foundOf } from '../postgres/found.js'
import { encodeRecord } from '../record.js'
import type { Session } from './session.js'
import type { Sessions } from './sessions.js'
import type { AdvisoryStatements } from './statements.js'
import { waitTurn } from './turn.js'

/** Who is first in the queue asks so often for a row that no connection of the queue holds. */
const AT_HEAD_MS = 250

export class Claims {
  readonly #database: Database
  readonly #statements: AdvisoryStatements
  readonly #sessions: Sessions
  /** Do connections that end free locks? */
  readonly #frees: boolean

  constructor(database: Database, statements: AdvisoryStatements, sessions: Sessions, frees: boolean) {
    this.#database = database
    this.#statements = statements
    this.#sessions = sessions
    this.#frees = frees
  }

  /** Rejects as a driver does. */
  async claim(claim: Claim, call: Call): Promise<ClaimResult> {
    this.#database.tidy(call)
    const session = await this.#sessions.open(claim.key, claim.name, call)
    let isHeld = false
    try {
      const result = await this.#claimOn(session, claim, call)
      isHeld = result.status === 'held'
      return result
    } finally {
      // What was sent to end its wait may come yet.
      if (!isHeld) await session.giveBack(call, !call.signal?.aborted)
    }
  }

  async #claimOn(session: Session, claim: Claim, call: Call): Promise<ClaimResult> {
    const { claim: first, enter } = this.#statements
    const result = await this.#ask(session, first, claim, call)
    if (result.status === 'busy') call.signal?.throwIfAborted()
    if (result.status === 'held' || claim.waitMs < 1 || !session.isOpen || !this.#sessions.leavesOne) return result
    call.onQueued?.()
    const until = call.clock.now() + claim.waitMs
    if (!session.hasLock) {
      const turn = await waitTurn(this.#database, enter, session, claim, call)
      call.signal?.throwIfAborted()
      if (turn !== 'first') {
        return { status: 'busy', found: await this.#look(session, claim, call), queued: turn === 'over' }
      }
    }
    return this.#takeTurn(session, claim, until, call)
  }

  /** It has the advisory lock, so that nearly always the row is there to be had. */
  async #takeTurn(session: Session, claim: Claim, until: number, call: Call): Promise<ClaimResult> {
    for (;;) {
      const result = await this.#ask(session, this.#statements.claimAtHead, claim, call)
      if (result.status === 'held') return result
      const leftMs = until - call.clock.now()
      if (leftMs <= 0) return { ...result, queued: true }
      // PostgreSQL hears of it before it would end the connection.
      const mostMs = Math.min(leftMs, AT_HEAD_MS, claim.ttlMs / 2)
      const pauseMs = Math.max(1, Math.min(mostMs, result.found?.leftMs ?? mostMs))
      await sleep(pauseMs, undefined, { signal: call.signal }).catch(() => call.signal?.throwIfAborted())
    }
  }

  async #ask(session: Session, text: string, claim: Claim, call: Call): Promise<ClaimResult> {
    const { key, name, holder, ttlMs, guarantee } = claim
    const fenced = guarantee === 'fenced'
    const record = session.bind(encodeRecord(holder, fenced ? 'token' : 'none'))
    const from = call.clock.now()
    const values = [key, record, lifeMs(ttlMs), fenced, this.#frees]
    const row = await this.#answer(session, name, call, text, values)
    if (row?.had_turn === true) session.locks()
    if (row?.held !== true) {
      return { status: 'busy', found: row?.held === false ? foundOf(row) : undefined, queued: false }
    }
    const { fence, version } = foundOf(row)
    if (call.signal?.aborted) return this.#undo(session, key, version, call)
    this.#sessions.hold(version, session)
    session.keep(lifeMs(ttlMs))
    return { status: 'held', lease: { key, name, holder, guarantee, fence, version, from, granularityMs: 0 } }
  }

  /** undefined: another did the same at the same moment. */
  async #answer(session: Session, name: string, call: Call, text: string, values: unknown[]): Promise<Row | undefined> {
    try {
      return (await session.ask('changes', name, { ...call, signal: undefined }, text, values))[0]
    } catch (error) {
      // A statement that is taken back does not give an advisory lock back.
      if (!session.hasLock) session.end()
      if (isBeaten(error)) return undefined
      throw error
    }
  }

  /** Who holds it, for who has waited in vain. */
  async #look(session: Session, { key, name }: Claim, call: Call): Promise<Found | undefined> {
    const [row] = await session.ask('asks', name, call, this.#statements.find, [key, this.#frees])
    return row && foundOf(row)
  }

  /** What came after all. Rejects with the abort's reason, or when it cannot be told. */
  async #undo(session: Session, key: string, version: Version, { clock, deadlineMs, signal }: Call): Promise<never> {
    await session.askLast(key, { clock, deadlineMs }, this.#statements.release, [version], false).catch(() => {
      throw new OutcomeUnknownError(signal?.reason)
    })
    throw signal?.reason
  }
}
