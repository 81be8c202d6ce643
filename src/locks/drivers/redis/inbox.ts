/** Where a driver is told that one of its waiters has the turn: one connection for all of them, which listens to a channel of its own. */
import { randomBytes } from 'node:crypto'
import type { Call } from '../../driver.js'
import { within } from '../deadline.js'
import type { Connection } from './connection.js'
import type { Link } from './link.js'
import { CHANNEL_PREFIX } from './scripts.js'

export class Inbox {
  readonly channel = `${CHANNEL_PREFIX}${randomBytes(16).toString('hex')}`
  readonly #link: Link
  /** A turn of somebody who waits no more. */
  readonly #strayed: (owner: string, key: string) => unknown
  readonly #waiters = new Map<string, Waiter>()
  readonly #closing = new AbortController()
  #connection: Connection | undefined
  #opening: Promise<void> | undefined

  constructor(link: Link, strayed: (owner: string, key: string) => unknown) {
    this.#link = link
    this.#strayed = strayed
  }

  /** Will a turn be heard of? Rejects with the signal's reason. */
  async hears(lock: string, call: Call): Promise<boolean> {
    if (this.#connection?.isReady()) return true
    this.#opening ??= this.#open(lock, { ...call, signal: undefined }).finally(() => {
      this.#opening = undefined
    })
    try {
      await within(this.#opening, 2 * call.deadlineMs, call.signal)
      return true
    } catch {
      call.signal?.throwIfAborted()
      return false
    }
  }

  enter(owner: string): Waiter {
    const waiter = new Waiter()
    this.#waiters.set(owner, waiter)
    return waiter
  }

  leave(owner: string): void {
    this.#waiters.delete(owner)
  }

  close(): void {
    this.#closing.abort()
    this.#connection?.end()
    this.#wakeAll()
  }

  async #open(lock: string, call: Call): Promise<void> {
    const connection = await this.#link.open(lock, call)
    try {
      const subscribed = connection.subscribe(this.channel, (message) => this.#told(message))
      await within(subscribed, call.deadlineMs, this.#closing.signal)
    } catch (error) {
      connection.end()
      throw error
    }
    this.#connection = connection
    // What was missed in between is asked for.
    connection.onEnd(() => this.#wakeAll())
  }

  #told(message: string): void {
    const [owner, key] = message.split(' ')
    const waiter = this.#waiters.get(owner)
    if (waiter === undefined) this.#strayed(owner, key)
    else waiter.wake()
  }

  #wakeAll(): void {
    for (const waiter of this.#waiters.values()) waiter.wake()
  }
}

export class Waiter {
  #isAwake = false
  #wake = () => {}

  wake(): void {
    this.#isAwake = true
    this.#wake()
  }

  /** Until it is woken, or has been since the last time, or `ms` are over. Rejects with the signal's reason. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        this.#wake = () => {}
        this.#isAwake = false
        if (signal?.aborted) reject(signal.reason)
        else resolve()
      }
      const timer = setTimeout(done, ms)
      if (this.#isAwake || signal?.aborted) return done()
      this.#wake = done
      signal?.addEventListener('abort', done, { once: true })
    })
  }
}
