/** One reply as a client reads it: its status, its flags, and where its line and its value lie in the bytes received. */
import { parseU64 } from './numbers.js'

/** What a reply line begins with. `Number` is the bare number that classic incr and decr answer, `Dumped` a line of a list of keys. */
export const Status = {
  // Meta
  Done: 1,
  Value: 2,
  Miss: 3,
  NotStored: 4,
  Exists: 5,
  NotFound: 6,
  Noop: 7,
  Debug: 8,
  // Classic
  ClassicValue: 9,
  End: 10,
  Stored: 11,
  ClassicNotStored: 12,
  ClassicExists: 13,
  ClassicNotFound: 14,
  Deleted: 15,
  Touched: 16,
  Ok: 17,
  Reset: 18,
  Version: 19,
  Stat: 20,
  Number: 21,
  Dumped: 22,
  // Errors
  Error: 23,
  ClientError: 24,
  ServerError: 25,
} as const
export type Status = (typeof Status)[keyof typeof Status]

export function isError(status: Status): boolean {
  return status >= Status.Error
}

/** A reply to a meta command. */
export function isMeta(status: Status): boolean {
  return status <= Status.Debug
}

/** No opaque came with the reply. */
export const NO_OPAQUE = -1

/** Filled anew for every reply: whoever is handed it takes what he needs before he returns. */
export class Reply {
  status: Status = Status.Error
  /** The line, from after the status word (`rest`) to before its end. */
  line: Buffer = Buffer.alloc(0)
  rest = 0
  end = 0
  /** The number after `O`, or `NO_OPAQUE`. */
  opaque = NO_OPAQUE
  /** The item's flags, of a value; 0 when not told. */
  flags = 0
  /** `X`: the item is marked stale. */
  stale = false
  /** `Z`: another reader was chosen. */
  lost = false
  /** The value's bytes; with no value both are equal. */
  data: Buffer = this.line
  valueStart = 0
  valueEnd = 0
  /** @internal Where the digits of the token lie in the line; 0 when there are none. */
  casStart = 0
  /** @internal */
  casEnd = 0

  /** The CAS token, or undefined when none came. */
  cas(): bigint | undefined {
    return this.casStart === 0 ? undefined : parseU64(this.line, this.casStart, this.casEnd)
  }

  /** A view of the value, true until the parser reads on. */
  value(): Buffer {
    return this.data.subarray(this.valueStart, this.valueEnd)
  }

  /** The line without its status word. */
  text(): string {
    return this.line.toString('latin1', this.rest, this.end)
  }
}
