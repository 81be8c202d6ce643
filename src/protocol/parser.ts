/**
 * Requests from bytes, as memcached reads them. No state is kept between calls: an incomplete line is
 * parsed again from its start when more has come, which the 2048-byte limit keeps cheap.
 */
import { ascii, type ByteSource, SPACE, spells } from './bytes.js'
import { Command, identify } from './command.js'
import { parseClassic } from './parse-classic.js'
import { parseMeta } from './parse-meta.js'
import { plainGet, plainMeta, plainSet } from './parse-plain.js'
import { BAD_FORMAT, ERROR } from './replies.js'
import type { Request } from './request.js'

export const Parsed = {
  /** No newline yet: come back with more bytes. */
  Incomplete: 0,
  /** `request` is filled in. A data block, if any, may still be on its way. */
  Ready: 1,
  /** Reply `request.error` (unless `noreply`) and drop the data block (`valueLength` + 2), if it has one. */
  Refused: 2,
  /** Close the connection without a word. */
  Close: 3,
  /** A `get` or `gets` too long to wait for its end: `request.next` is where its keys start. */
  LongGet: 4,
} as const
export type Parsed = (typeof Parsed)[keyof typeof Parsed]

/** A line this long without a newline is no command; only `get` and `gets` go on. */
export const MAX_LINE = 2048

/** Before a line that is allowed to be long. */
const MAX_LEADING_SPACES = 100

const GET_SPACE = 0x67657420
const SET_SPACE = 0x73657420
const MG_SPACE = 0x6d6720
const MS_SPACE = 0x6d7320
const HTTP = ascii('HTTP/')
const GET = ascii('get ')
const GETS = ascii('gets ')

/** Parses the request that starts at `start`. Bytes from `end` on do not count. */
export function parseRequest(request: Request, source: ByteSource, start: number, end: number): Parsed {
  request.source = source
  request.keySource = source
  request.valueLength = -1
  request.noreply = false
  if (end - start > 6) {
    const word = source.view.getUint32(start)
    if (word === GET_SPACE && plainGet(request, source.u8, start + 4, end)) return Parsed.Ready
    if (word === SET_SPACE && plainSet(request, source.u8, start + 4, end)) return Parsed.Ready
    const short = word >>> 8
    if (short === MG_SPACE && plainMeta(request, Command.MetaGet, source.u8, start + 3, end)) return Parsed.Ready
    if (short === MS_SPACE && plainMeta(request, Command.MetaSet, source.u8, start + 3, end)) return Parsed.Ready
  }
  return parseLine(request, source.u8, start, end)
}

function parseLine(request: Request, u8: Uint8Array, start: number, end: number): Parsed {
  const tokens = request.tokens
  const next = tokens.split(u8, start, end)
  if (next < 0) return end - start > MAX_LINE ? tooLong(request, u8, start) : Parsed.Incomplete
  request.next = next
  if (next - start < 4) return refuse(request, BAD_FORMAT)
  // A line that begins with a space has an empty command.
  if (tokens.count === 0 || tokens.start[0] !== start) return refuse(request, ERROR)
  request.command = identify(u8, start, tokens.length(0))
  switch (request.command) {
    case Command.Unknown:
      return unknown(request, u8)
    case Command.MetaGet:
    case Command.MetaSet:
    case Command.MetaDelete:
    case Command.MetaArithmetic:
    case Command.MetaDebug:
      return parseMeta(request, u8) ? Parsed.Ready : Parsed.Refused
    default:
      return parseClassic(request, u8) ? Parsed.Ready : Parsed.Refused
  }
}

function tooLong(request: Request, u8: Uint8Array, from: number): Parsed {
  let start = from
  while (u8[start] === SPACE && start - from < MAX_LEADING_SPACES) start++
  const word = spells(u8, start, GET.length, GET) ? GET : spells(u8, start, GETS.length, GETS) ? GETS : undefined
  if (word === undefined) return Parsed.Close
  request.command = word === GET ? Command.Get : Command.Gets
  request.next = start + word.length
  return Parsed.LongGet
}

function refuse(request: Request, error: Request['error']): Parsed {
  request.error = error
  return Parsed.Refused
}

/** A browser, or somebody who makes a browser speak to us, is hung up on. */
function unknown(request: Request, u8: Uint8Array): Parsed {
  const { count, start, end } = request.tokens
  const last = count - 1
  if (last > 0 && end[last] - start[last] >= HTTP.length && spells(u8, start[last], HTTP.length, HTTP)) {
    return Parsed.Close
  }
  return refuse(request, ERROR)
}
