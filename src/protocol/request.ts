/** One parsed request. A thread reuses one instance: offsets point into the bytes that were parsed. */
import { type ByteSource, byteSource } from './bytes.js'
import { Command } from './command.js'
import { MetaFlags } from './meta-flags.js'
import { ERROR } from './replies.js'
import type { Text } from './text.js'
import { Tokens } from './tokens.js'

export const MAX_KEY = 250

const NOTHING = byteSource(new Uint8Array(0))

export class Request {
  command: Command = Command.Unknown
  /** What was parsed; token offsets point into it. */
  source: ByteSource = NOTHING
  /** Offset of the first byte after the command line: where a data block starts. */
  next = 0
  /** Where the key is: the parsed bytes, or the scratch space when it was base64. */
  keySource: ByteSource = NOTHING
  keyStart = 0
  keyLength = 0
  /** Client flags of a classic store. */
  flags = 0
  /** Seconds as sent: see `ttlMs`. */
  exptime = 0
  /** Bytes of the data block, without its `\r\n`; −1 when the command has none. */
  valueLength = -1
  /** Of `cas`. */
  cas = 0n
  /** Of `incr` and `decr`. */
  delta = 0n
  /** How long a request with flag `w` was kept, in whole milliseconds: who answers it fills this in. */
  waitedMs = 0
  /** Say nothing, whatever happens. Meta commands are quieter about some outcomes only: flag `q`. */
  noreply = false
  /** The reply to a refused request. */
  error: Text = ERROR
  readonly tokens = new Tokens()
  readonly meta = new MetaFlags()
  readonly decodedKey: ByteSource = byteSource(new Uint8Array(256))
}
