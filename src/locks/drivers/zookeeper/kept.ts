/**
 * The connections of sessions that locks live by, so that a session can be ended with its lock. Nothing is sent on them meanwhile: that
 * would prolong the lease. Without one, the session ends by its timeout.
 */
import type { Session } from './session.js'

/** A server takes 60 connections from one address unless it is told otherwise. */
const MOST = 16

export class Kept {
  readonly #sessions = new Map<string, Session>()

  keep(version: string, session: Session): void {
    for (const [version, { isOpen }] of this.#sessions) if (!isOpen) this.#sessions.delete(version)
    if (this.#sessions.size < MOST) this.#sessions.set(version, session)
    else session.drop()
  }

  /** Its session is no longer kept. */
  take(version: string): Session | undefined {
    const session = this.#sessions.get(version)
    this.#sessions.delete(version)
    return session
  }

  close(): void {
    for (const session of this.#sessions.values()) session.drop()
    this.#sessions.clear()
  }
}
