/** The text protocol, classic and meta. Commands with a key go to the executor, those about the server to `admin.ts`. */
import { Command, CR, LF, Parsed, parseRequest, reply } from '../protocol/index.js'
import type { Bytes } from '../store/index.js'
import { Action, runServerCommand } from './admin.js'
import type { WorkerContext } from './context.js'
import { type Dialect, FLUSH_BYTES, type Flow } from './dialect.js'
import { Retrieval } from './retrieval.js'

export class TextDialect implements Dialect {
  needed = 0
  readonly #context: WorkerContext
  readonly #flow: Flow
  readonly #retrieval = new Retrieval()
  /** Bytes of a refused data block still to be thrown away. */
  #dropping = 0
  /** Where answering stopped, when `#request` says that it did. */
  #stoppedAt = 0

  constructor(context: WorkerContext, flow: Flow) {
    this.#context = context
    this.#flow = flow
  }

  answer(bytes: Bytes, start: number, end: number): number {
    const { executor, out } = this.#context
    this.needed = 0
    let at = start
    while (at < end) {
      if (this.#dropping > 0 || this.#retrieval.skippingLine) {
        at = this.#drop(bytes.u8, at, end)
        continue
      }
      if (!this.#flow.mayAnswer()) return at
      if (this.#retrieval.active) {
        at = this.#retrieval.proceed(executor, out, bytes, at, end, FLUSH_BYTES)
        if (this.#retrieval.starved) return at
      } else {
        at = this.#request(bytes, at, end)
        if (at < 0) return this.#stoppedAt
      }
    }
    return at
  }

  sent(): void {
    this.#retrieval.sent()
  }

  /** Answers the request at `at`. The offset behind it, or −1 when nothing after it can be answered now. */
  #request(bytes: Bytes, at: number, end: number): number {
    const { executor, out } = this.#context
    const { request } = executor
    const parsed = parseRequest(request, bytes, at, end)
    this.#stoppedAt = at
    if (parsed === Parsed.Incomplete) return -1
    this.#stoppedAt = request.next
    if (parsed !== Parsed.Ready) return this.#refused(parsed)
    if (request.valueLength >= 0) return this.#store(bytes, at, end)
    if (request.command <= Command.Gats) return this.#get()
    if (request.command > Command.MetaDebug) return this.#serve()
    if (request.command === Command.MetaNoop) out.text(reply.META_NOOP)
    else executor.run(bytes)
    return request.next
  }

  #drop(u8: Uint8Array, at: number, end: number): number {
    if (this.#dropping > 0) {
      const count = Math.min(this.#dropping, end - at)
      this.#dropping -= count
      return at + count
    }
    const newline = u8.indexOf(LF, at)
    if (newline < 0 || newline >= end) return end
    this.#retrieval.skippingLine = false
    return newline + 1
  }

  #refused(parsed: Parsed): number {
    const { executor, out } = this.#context
    const { request } = executor
    if (parsed === Parsed.Close) {
      this.#flow.close()
      return -1
    }
    if (parsed === Parsed.LongGet) {
      this.#retrieval.begin(request.command, 0, out.length)
      return request.next
    }
    if (!request.noreply) out.text(request.error)
    if (request.valueLength >= 0) this.#dropping = request.valueLength + 2
    return request.next
  }

  /** The offset behind the data block, or −1 when it is not all there. */
  #store(bytes: Bytes, at: number, end: number): number {
    const { executor, out, settings } = this.#context
    const { request } = executor
    const dataEnd = request.next + request.valueLength
    if (request.valueLength > settings.itemMax) {
      executor.refuseTooLarge()
      this.#dropping = request.valueLength + 2
      return request.next
    }
    if (dataEnd + 2 > end) {
      this.needed = dataEnd + 2 - at
      this.#stoppedAt = at
      return -1
    }
    if (bytes.u8[dataEnd] === CR && bytes.u8[dataEnd + 1] === LF) executor.run(bytes)
    else if (!request.noreply) out.text(reply.BAD_CHUNK)
    return executor.parked === undefined ? dataEnd + 2 : this.#park(dataEnd + 2)
  }

  /** The request before `next` waits in its key's queue, and nothing behind it is answered before it. */
  #park(next: number): number {
    const { executor } = this.#context
    if (executor.parked !== undefined) this.#flow.park(executor.parked)
    executor.parked = undefined
    this.#stoppedAt = next
    return -1
  }

  #get(): number {
    const { executor, out } = this.#context
    const { request } = executor
    const after = request.keyStart + request.keyLength
    const before = out.length
    if (after !== request.tokens.lineEnd) {
      this.#retrieval.begin(request.command, request.exptime, before)
      return request.keyStart
    }
    try {
      executor.value()
      out.text(reply.END)
    } catch (error) {
      out.length = before
      executor.fail(error)
    }
    return request.next
  }

  /** All but `version` may take milliseconds. */
  #serve(): number {
    const outcome = runServerCommand(this.#context)
    if (this.#context.executor.request.command !== Command.Version) this.#flow.endTurn()
    if (outcome.action === Action.None) return this.#stoppedAt
    if (outcome.action === Action.Close) this.#flow.close()
    else if (outcome.action === Action.Walk) this.#flow.walk(outcome.walk)
    else if (outcome.action === Action.Wait) this.#flow.wait(outcome.answer, (text) => this.#context.out.string(text))
    else if (outcome.action === Action.Watch) this.#flow.watch(outcome.kinds)
    return -1
  }
}
