/** The sessions that locks live by: begun for each lease, and ended with it. */
import type { Call } from '../../driver.js'
import { LockArgumentError, OutcomeUnknownError } from '../../errors.js'
import { lifeMs } from '../life.js'
import type { Ensemble } from './ensemble.js'
import { ZooKeeperError } from './errors.js'
import { Kept } from './kept.js'
import type { Session } from './session.js'

/** A timeout has 32 bits. */
const LONGEST_MS = 2 ** 31 - 1

export class Leases {
  readonly #ensemble: Ensemble
  readonly #kept = new Kept()

  constructor(ensemble: Ensemble) {
    this.#ensemble = ensemble
  }

  /** A session that lives as long as the lease, counted from when this was called at the earliest. */
  async begin(ttlMs: number, name: string, call: Call): Promise<Session> {
    const timeoutMs = lifeMs(ttlMs)
    const session = await this.#ensemble.open(Math.min(timeoutMs, LONGEST_MS), name, call)
    if (session.timeoutMs >= timeoutMs) return session
    this.#ensemble.end(session, call)
    const why = `ZooKeeper grants ${session.timeoutMs} ms at most (maxSessionTimeout), and not ${timeoutMs}`
    throw new LockArgumentError(why, name)
  }

  /** undefined where ZooKeeper refuses it as is `fine`. The session does not stay when nothing was created in it. */
  async change<R>(
    session: Session,
    name: string,
    call: Call,
    run: () => Promise<R>,
    fine: readonly number[],
  ): Promise<R | undefined> {
    try {
      call.signal?.throwIfAborted()
      return await this.#ensemble.on(session, name, true, run, fine)
    } catch (error) {
      if (error instanceof ZooKeeperError) return undefined
      this.#ensemble.end(session, call)
      throw error
    }
  }

  /** With its session the place goes. */
  async leave(session: Session, reason: unknown, { deadlineMs }: Call): Promise<void> {
    try {
      await session.close(deadlineMs)
    } catch {
      throw new OutcomeUnknownError(reason)
    }
  }

  /** The connection of a lock's session, as long as there is room. */
  keep(version: string, session: Session): void {
    this.#kept.keep(version, session)
  }

  /** The session of a lock that is no more, if it was begun here; else it ends by its timeout. */
  end(version: string, call: Call): void {
    const session = this.#kept.take(version)
    if (session?.isOpen) this.#ensemble.end(session, call)
  }

  close(): void {
    this.#kept.close()
  }
}
