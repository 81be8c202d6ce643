/**
 * The keys of one `get`, `gets`, `gat` or `gats`, answered one after the other. It may stop between two keys,
 * because the client does not read as fast as it asks, or because the rest of an endless line has not come yet.
 */
import { type ByteSource, Command, CR, LF, MAX_KEY, type Output, reply, SPACE, type Text } from '../protocol/index.js'
import type { Executor } from './execute.js'

export class Retrieval {
  active = false
  /** It stopped because the rest of the line has not come. */
  starved = false
  /** After an error the rest of the line is of no use. */
  skippingLine = false
  #command: Command = Command.Get
  #exptime = 0
  /** Where the reply began in the output; −1 once part of it has been sent. */
  #replyStart = -1

  begin(command: Command, exptime: number, replyStart: number): void {
    this.active = true
    this.#command = command
    this.#exptime = exptime
    this.#replyStart = replyStart
  }

  /** The reply so far went out: an error can only follow it, not replace it. */
  sent(): void {
    this.#replyStart = -1
  }

  /**
   * Answers what it can of the line, from `at` on, until `enough` bytes of output. Where it stopped: behind the
   * line when no longer `active`, else before the next key.
   */
  proceed(executor: Executor, out: Output, source: ByteSource, from: number, end: number, enough: number): number {
    const u8 = source.u8
    let at = from
    this.starved = false
    while (out.length < enough) {
      while (at < end && u8[at] === SPACE) at++
      let keyEnd = at
      while (keyEnd < end && u8[keyEnd] !== SPACE && u8[keyEnd] !== LF) keyEnd++
      if (keyEnd === end) {
        if (end - at > MAX_KEY + 1) return this.#refuse(out, reply.BAD_FORMAT, end)
        this.starved = true
        return at
      }
      const last = u8[keyEnd] === LF
      const next = keyEnd
      if (last && keyEnd > at && u8[keyEnd - 1] === CR) keyEnd--
      if (keyEnd - at > MAX_KEY) return this.#refuse(out, reply.BAD_FORMAT, next)
      if (keyEnd > at && !this.#answer(executor, out, source, at, keyEnd - at)) return next
      at = next
      if (last) {
        out.text(reply.END)
        this.active = false
        return next + 1
      }
    }
    return at
  }

  #answer(executor: Executor, out: Output, source: ByteSource, start: number, length: number): boolean {
    const { request } = executor
    request.command = this.#command
    request.exptime = this.#exptime
    request.keySource = source
    request.keyStart = start
    request.keyLength = length
    const before = out.length
    try {
      executor.value()
      return true
    } catch (error) {
      out.length = before
      this.#stop(out)
      executor.fail(error)
      return false
    }
  }

  #refuse(out: Output, error: Text, at: number): number {
    this.#stop(out)
    out.text(error)
    return at
  }

  #stop(out: Output): void {
    if (this.#replyStart >= 0) out.length = this.#replyStart
    this.active = false
    this.skippingLine = true
  }
}
