/**
 * What a connection needs of a socket, and no more. Two things implement it: `RawStream`, on the handle under
 * Node's socket, and `SocketStream`, on the socket itself; `openTransport` picks the first that works here.
 */
import type { ByteSource } from '../protocol/index.js'

/**
 * The one read buffer of a thread. Bytes arrive from `HEADROOM` on; the room before it is for the unfinished
 * request of the read before, so that both lie in one piece without a buffer a connection.
 */
export const HEADROOM = 4096
export const READ_BYTES = 65536

export interface TransportEvents {
  /** `length` bytes arrived in the thread's read buffer, from `HEADROOM` on. They are gone after the call. */
  received(length: number): void
  /** The other side will send no more. */
  ended(): void
  /** What `write` could not send at once has left. */
  drained(): void
  /** It is over, for whatever reason; nothing is called after this. */
  closed(): void
}

export interface Transport {
  start(events: TransportEvents): void
  pause(): void
  resume(): void
  /**
   * Sends the first `length` bytes. True: they left, and the buffer is free again. False: the transport keeps
   * the buffer until `drained`; one write at a time.
   */
  write(bytes: Uint8Array, length: number): boolean
  /** Closes once everything written has left. */
  end(): void
  /** Closes now. */
  destroy(): void
  /** Of the socket, for logs; −1 where there is none. */
  readonly descriptor: number
  /** For `stats conns`: `tcp:127.0.0.1:1234`. */
  describePeer(): string
}

export interface ReadBuffer extends ByteSource {
  /** The part that reads go to. */
  readonly landing: Uint8Array
}
