/** The connections of one driver's locks: of those that are held, also by the version that the lock has. */
import type { Call, Version } from '../../driver.js'
import { LockUnavailableError } from '../../errors.js'
import type { Database } from '../postgres/database.js'
import { greet } from './greeting.js'
import { Session } from './session.js'

export class Sessions {
  readonly #database: Database
  readonly #reset: string
  readonly #open = new Set<Session>()
  readonly #holding = new Map<Version, Session>()

  /** `reset`: the statement that undoes all that was done on a connection. */
  constructor(database: Database, reset: string) {
    this.#database = database
    this.#reset = reset
  }

  /** For the lock `key`, called `name` in messages. Rejects as a driver does, having done nothing. */
  async open(key: string, name: string, call: Call): Promise<Session> {
    const client = await this.#database.borrow(name, call).catch((error) => {
      if (!(error instanceof LockUnavailableError)) throw error
      const why = `${error.why} (each lock that is held or waited for needs a connection of the pool for itself)`
      throw new LockUnavailableError(name, why, { cause: error })
    })
    client.on('error', ignored)
    try {
      const greeting = await greet(client, name, call)
      const session = new Session(client, greeting, this.#reset, key, (is) => this.#open.delete(is))
      client.removeListener('error', ignored)
      this.#open.add(session)
      return session
    } catch (error) {
      client.release(true)
      throw error
    }
  }

  /** Is there a connection left for questions, if those there are are kept? */
  get leavesOne(): boolean {
    return this.#open.size < this.#database.most
  }

  /** That holds the lock of this version. */
  of(version: Version): Session | undefined {
    return this.#holding.get(version)
  }

  /** More than one version, as long as it is not known whether an extension has changed it. */
  hold(version: Version, session: Session): void {
    for (const [other, { isOpen }] of this.#holding) if (!isOpen) this.#holding.delete(other)
    this.#holding.set(version, session)
  }

  forget(version: Version): void {
    this.#holding.delete(version)
  }

  close(): void {
    for (const session of this.#open) session.end()
  }
}

/** Who asks is told, too. */
function ignored(): void {}
