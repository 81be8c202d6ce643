/** The main thread's part in keeping leases: writes ahead of what is asked for, and at the end what is still held. */
import { existsSync } from 'node:fs'
import type { Table } from '../../store/index.js'
import { readText } from './file.js'
import { type LockState, leaseKeeper } from './lock-state.js'

/** Leases come nearer to the horizon by as much between two looks. */
const LOOK_MS = 1000

export class LeaseWatch {
  readonly #state: LockState
  readonly #table: Table
  readonly #log: (message: string) => void
  #timer: NodeJS.Timeout | undefined
  /** What went wrong last, so that it is told once. */
  #trouble = ''

  constructor(state: LockState, table: Table, log: (message: string) => void) {
    this.#state = state
    this.#table = table
    this.#log = log
  }

  /** Writes for the first time: who cannot, must not begin. Throws what is in the way. */
  start(): void {
    this.#table.keepLeases(leaseKeeper(this.#state.place))
    this.#table.keepAhead()
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref()
  }

  #look(): void {
    const { path } = this.#state.place
    try {
      const isGone = !existsSync(path)
      this.#table.keepAhead(isGone)
      if (isGone) this.#log(`latchkey: the lock state ${path} was gone, and is written anew: who has deleted it?`)
      if (this.#trouble !== '') this.#log('latchkey: the lock state can be written again')
      this.#trouble = ''
    } catch (error) {
      const trouble = (error as Error).message
      if (this.#trouble !== trouble) this.#log(`latchkey: ${trouble}; leases that need it are refused`)
      this.#trouble = trouble
    }
  }

  /**
   * For when no thread serves any more. What cannot be written now leaves the horizon of before: longer, never shorter.
   * @returns the text of the file, as far as it can be read.
   */
  stop(): string | undefined {
    clearInterval(this.#timer)
    try {
      this.#table.keepLast(leaseKeeper(this.#state.place, true))
    } catch (error) {
      this.#log(`latchkey: the next start may wait longer than it has to: ${(error as Error).message}`)
    }
    try {
      return readText(this.#state.place.path)
    } catch {
      return undefined
    } finally {
      this.#state.close()
    }
  }

  /** When the server could not start. */
  abandon(): void {
    clearInterval(this.#timer)
  }
}
