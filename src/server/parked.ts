/**
 * A request that waits in its key's queue (`ms … ME w<ms>`): a copy of its line, from which its reply is made when the wait
 * is over, since by then the bytes that it came in are long gone.
 */
import { type ByteSource, byteSource, type Request } from '../protocol/index.js'
import type { Bindings, Wait, WaitEnd } from '../store/index.js'

/** The connection whose request is answered. */
export interface Client {
  /** It will send no more, so nobody is kept waiting for it. */
  readonly hasEnded: boolean
  /** What is to be deleted when it closes. */
  readonly bindings: Bindings
  /** A wait is over; never called from inside of a request. */
  waited(parked: Parked, end: WaitEnd): void
}

export class Parked {
  readonly line: ByteSource
  wait: Wait | undefined

  constructor(
    request: Request,
    /** What the item is bound to, or 0. */
    readonly binding: number,
  ) {
    const { source, tokens, next } = request
    this.line = byteSource(source.u8.slice(tokens.start[0], next))
  }
}
