/** The servers of one ensemble: sessions on whichever can be reached, and what their failures mean for a lock. */
import { inspect } from 'node:util'
import type { Call } from '../../driver.js'
import { LockArgumentError, LockUnavailableError, OutcomeUnknownError } from '../../errors.js'
import { ConnectionEnded, ZooKeeperError } from './errors.js'
import { Session } from './session.js'
import type { Address } from './socket.js'

/** Of the one session that looks, and deletes. */
const MAIN_TIMEOUT_MS = 10_000
const DEFAULT_PORT = 2181

export class Ensemble {
  readonly #addresses: readonly Address[]
  readonly #digest: string | undefined
  /** Sessions that are ended behind the callers' backs. */
  readonly #chores = new Set<Promise<unknown>>()
  #current = 0
  #lastZxid = 0n
  #main: Promise<Session> | undefined
  #mainNow: Session | undefined

  /** Throws LockArgumentError for what is no address. */
  constructor(servers: string | readonly string[], digest: string | undefined) {
    this.#addresses = [servers].flat().map(addressOf)
    if (this.#addresses.length === 0) throw new LockArgumentError('there is no server')
    this.#digest = digest
  }

  /** Throws LockUnavailableError. */
  async open(timeoutMs: number, lock: string, { deadlineMs }: Call): Promise<Session> {
    const until = performance.now() + deadlineMs
    for (let left = this.#addresses.length; ; left--) {
      const address = this.#addresses[this.#current] as Address
      const leftMs = Math.max(1, until - performance.now())
      try {
        const options = { timeoutMs, lastZxid: this.#lastZxid, digest: this.#digest }
        return await Session.open(address, options, leftMs / Math.max(1, left))
      } catch (error) {
        this.#current = (this.#current + 1) % this.#addresses.length
        if (left <= 1) throw asUnavailable(error, lock)
      }
    }
  }

  /** Makes the session known for the latest that it was told of. */
  saw({ lastZxid }: Session): void {
    if (lastZxid > this.#lastZxid) this.#lastZxid = lastZxid
  }

  /** Without an answer, nothing was done. Errors of ZooKeeper are thrown as they are for those in `fine`. */
  async ask<R>(lock: string, call: Call, run: (main: Session) => Promise<R>, fine: readonly number[] = []): Promise<R> {
    const main = await this.#opened(lock, call)
    return this.on(main, lock, false, () => run(main), fine)
  }

  /** Without an answer, it is not known. */
  async change<R>(lock: string, call: Call, run: (main: Session) => Promise<R>, fine: readonly number[]): Promise<R> {
    const main = await this.#opened(lock, call)
    return this.on(main, lock, true, () => run(main), fine)
  }

  /** The same on a session of one's own. */
  async on<R>(
    session: Session,
    lock: string,
    changes: boolean,
    run: () => Promise<R>,
    fine: readonly number[],
  ): Promise<R> {
    try {
      return await run()
    } catch (error) {
      if (error instanceof ZooKeeperError && fine.includes(error.code)) throw error
      if (changes && error instanceof ConnectionEnded && error.sent) throw new OutcomeUnknownError(error)
      throw asUnavailable(error, lock)
    } finally {
      this.saw(session)
    }
  }

  /** Ends it without anybody waiting for it; where that fails, it ends by its timeout. */
  end(session: Session, { deadlineMs }: Call): void {
    const chore = session.close(deadlineMs).catch(() => {})
    this.#chores.add(chore)
    void chore.then(() => this.#chores.delete(chore))
  }

  async close(deadlineMs: number): Promise<void> {
    const main = await this.#main?.catch(() => undefined)
    await Promise.all([...this.#chores, main?.close(deadlineMs).catch(() => {})])
  }

  async #opened(lock: string, call: Call): Promise<Session> {
    if (this.#mainNow !== undefined && !this.#mainNow.isOpen) this.#main = undefined
    this.#main ??= this.#openMain(lock, call)
    return await this.#main
  }

  async #openMain(lock: string, call: Call): Promise<Session> {
    try {
      const main = await this.open(MAIN_TIMEOUT_MS, lock, call)
      main.keepAlive()
      this.#mainNow = main
      return main
    } catch (error) {
      this.#main = undefined
      throw error
    }
  }
}

function asUnavailable(error: unknown, lock: string): unknown {
  if (!(error instanceof ConnectionEnded || error instanceof ZooKeeperError)) return error
  return new LockUnavailableError(lock, error.message, { cause: error })
}

function addressOf(text: unknown): Address {
  const [, host, port] = /^(?:\[(?=.*:.*\])|(?!.*:.*:))([^\s/\]]+?)\]?(?::(\d{1,5}))?$/.exec(String(text)) ?? []
  if (host !== undefined && Number(port ?? 1) < 65_536) return { host, port: Number(port ?? DEFAULT_PORT) }
  throw new LockArgumentError(`a server of ZooKeeper is an address such as localhost:2181, not ${inspect(text)}`)
}
