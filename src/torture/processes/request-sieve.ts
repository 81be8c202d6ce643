/**
 * One connection through the fault proxy, understood as requests and replies, so that faults can hit a certain request. A reply
 * is lost as TCP loses one: with everything that would come after it, so that no later reply is taken for it.
 */

import {
  byteSource,
  Command,
  Flag,
  Parsed,
  parseRequest,
  type Reply,
  ReplyParser,
  Request,
  Status,
} from '../../protocol/index.js'
import type { Sieve } from '../faults/fault-flow.js'
import { lasting } from './lasting.js'
import type { RequestFaults } from './request-faults.js'

/** How long a request whose reply is to be lost waits for those before it: they may be waiting in a queue. */
const QUIET_MS = 500
const LINE_END_BYTES = 2
/** What a client asks the server about itself is no request of its user. */
const GREETINGS: ReadonlySet<Command> = new Set([Command.Version, Command.MetaNoop, Command.Stats, Command.Quit])
/** Others come before the one that ends the answer. */
const PARTS: ReadonlySet<Status> = new Set([Status.ClassicValue, Status.Stat, Status.Dumped])
const NOT_UNDERSTOOD = -1

export class RequestSieve {
  readonly #faults: RequestFaults
  readonly #sawKey: (key: string) => void
  readonly #request = new Request()
  readonly #parser = new ReplyParser()
  /** The beginning of a request whose end has not come. */
  #begun: Buffer = Buffer.alloc(0)
  /** What comes is no text protocol, and passes as it is. */
  #blind = false
  /** Requests that have passed, and whose answers have not. */
  #owed = 0
  #whenQuiet = () => {}
  #losing: 'cut' | 'silence' | undefined

  constructor(faults: RequestFaults, sawKey: (key: string) => void) {
    this.#faults = faults
    this.#sawKey = sawKey
  }

  readonly requests: Sieve = async function* (this: RequestSieve, chunk: Buffer) {
    const bytes = this.#begun.length === 0 ? chunk : Buffer.concat([this.#begun, chunk])
    let from = 0
    let at = 0
    for (let end = this.#endOfRequest(bytes, at); end !== undefined; end = this.#endOfRequest(bytes, at)) {
      const fault = GREETINGS.has(this.#request.command) ? undefined : this.#faults.next()
      if (fault !== undefined) {
        if (at > from) yield bytes.subarray(from, at)
        from = at
        // Nobody waits for it once the run is over.
        if (fault.what === 'delay') await lasting(fault.ms)
        else await this.#lose(fault.cut)
      }
      if (this.#isAnswered()) this.#owed++
      at = end
    }
    this.#begun = bytes.subarray(at)
    if (at > from) yield bytes.subarray(from, at)
  }.bind(this)

  readonly replies: Sieve = async function* (this: RequestSieve, chunk: Buffer, reset: () => void) {
    this.#count(chunk)
    if (this.#owed === 0) this.#whenQuiet()
    if (this.#losing === undefined) yield chunk
    else if (this.#losing === 'cut' && this.#owed === 0) reset()
  }.bind(this)

  /** undefined: its end has not come. */
  #endOfRequest(bytes: Buffer, at: number): number | undefined {
    if (at >= bytes.length) return undefined
    const end = this.#blind ? NOT_UNDERSTOOD : this.#parse(bytes, at)
    if (end !== NOT_UNDERSTOOD) return end
    this.#blind = true
    return bytes.length
  }

  #parse(bytes: Buffer, at: number): number | undefined {
    const request = this.#request
    const parsed = parseRequest(request, byteSource(bytes), at, bytes.length)
    if (parsed === Parsed.Incomplete) return undefined
    if (parsed === Parsed.Close || parsed === Parsed.LongGet) return NOT_UNDERSTOOD
    const end = request.next + (request.valueLength < 0 ? 0 : request.valueLength + LINE_END_BYTES)
    if (end > bytes.length) return undefined
    if (parsed === Parsed.Ready && !GREETINGS.has(request.command)) this.#sawKey(keyOf(request))
    return end
  }

  #isAnswered(): boolean {
    const { command, noreply, meta } = this.#request
    return command !== Command.Quit && !noreply && !meta.has(Flag.q)
  }

  async #lose(cut: boolean): Promise<void> {
    if (this.#owed > 0) {
      const quiet = new Promise<void>((resolve) => {
        this.#whenQuiet = resolve
      })
      await Promise.race([quiet, lasting(QUIET_MS)])
    }
    this.#losing ??= cut ? 'cut' : 'silence'
  }

  #count(chunk: Buffer): void {
    try {
      this.#parser.feed(chunk, ({ status }: Reply) => {
        if (!PARTS.has(status) && this.#owed > 0) this.#owed--
      })
    } catch {
      // Not of this protocol: nothing is known to be owed.
      this.#owed = 0
    }
  }
}

function keyOf({ keySource, keyStart, keyLength }: Request): string {
  return Buffer.from(keySource.u8.buffer, keySource.u8.byteOffset + keyStart, keyLength).toString()
}
