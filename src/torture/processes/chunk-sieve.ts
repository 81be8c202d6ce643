/**
 * One connection through the fault proxy, of a protocol that is not looked into: what comes in one piece is taken for a request, and
 * the next piece that comes back for its reply. A reply is lost with everything that would come after it.
 */
import type { Sieve } from '../faults/fault-flow.js'
import { lasting } from './lasting.js'
import type { RequestFaults } from './request-faults.js'

/** How long a request whose reply is to be lost waits for the one before it: that may be waiting in a queue. */
const QUIET_MS = 500

export class ChunkSieve {
  readonly #faults: RequestFaults
  /** Something has passed, and nothing has come back since. */
  #isOwed = false
  #whenQuiet = () => {}
  #losing: 'cut' | 'silence' | undefined

  constructor(faults: RequestFaults) {
    this.#faults = faults
  }

  readonly requests: Sieve = async function* (this: ChunkSieve, chunk: Buffer) {
    const fault = this.#faults.next()
    // Nobody waits for it once the run is over.
    if (fault?.what === 'delay') await lasting(fault.ms)
    else if (fault !== undefined) await this.#lose(fault.cut)
    this.#isOwed = true
    yield chunk
  }.bind(this)

  readonly replies: Sieve = async function* (this: ChunkSieve, chunk: Buffer, reset: () => void) {
    this.#isOwed = false
    this.#whenQuiet()
    if (this.#losing === undefined) yield chunk
    else if (this.#losing === 'cut') reset()
  }.bind(this)

  async #lose(cut: boolean): Promise<void> {
    if (this.#isOwed) {
      const quiet = new Promise<void>((resolve) => {
        this.#whenQuiet = resolve
      })
      await Promise.race([quiet, lasting(QUIET_MS)])
    }
    this.#losing ??= cut ? 'cut' : 'silence'
  }
}
