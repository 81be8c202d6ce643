/** The arguments of the classic commands. Each parser answers false after setting `request.error`. */
import { ascii, spells } from './bytes.js'
import { Command } from './command.js'
import { NOT_A_NUMBER, parseI32, parseLength, parseU32, parseU64 } from './numbers.js'
import * as reply from './replies.js'
import { MAX_KEY, type Request } from './request.js'
import type { Text } from './text.js'

const NOREPLY = ascii('noreply')
const ZERO = ascii('0')

export function parseClassic(request: Request, u8: Uint8Array): boolean {
  switch (request.command) {
    case Command.Get:
    case Command.Gets:
      return parseGet(request)
    case Command.Gat:
    case Command.Gats:
      return parseGat(request, u8)
    case Command.Set:
    case Command.Add:
    case Command.Replace:
    case Command.Append:
    case Command.Prepend:
    case Command.Cas:
      return parseStore(request, u8)
    case Command.Incr:
    case Command.Decr:
      return parseArithmetic(request, u8)
    case Command.Delete:
      return parseDelete(request, u8)
    case Command.Touch:
      return parseTouch(request, u8)
    case Command.FlushAll:
    case Command.Verbosity:
    case Command.CacheMemlimit:
    case Command.Lru:
    case Command.Slabs:
      request.noreply = endsInNoreply(request, u8)
      return true
    default:
      // What the server's other commands mean is the server's business: it reads the words itself.
      return true
  }
}

function refuse(request: Request, error: Text): false {
  request.error = error
  return false
}

function endsInNoreply(request: Request, u8: Uint8Array): boolean {
  const { count, start, end } = request.tokens
  return spells(u8, start[count - 1], end[count - 1] - start[count - 1], NOREPLY)
}

function takeKey(request: Request, token: number): boolean {
  request.keyStart = request.tokens.start[token]
  request.keyLength = request.tokens.length(token)
  return request.keyLength <= MAX_KEY || refuse(request, reply.BAD_FORMAT)
}

/** Leaves the further keys to who answers: a line may hold more of them than there are tokens. */
function parseGet(request: Request): boolean {
  if (request.tokens.count < 2) return refuse(request, reply.BAD_FORMAT)
  return takeKey(request, 1)
}

function parseGat(request: Request, u8: Uint8Array): boolean {
  const { tokens } = request
  if (tokens.count < 3) return refuse(request, reply.BAD_FORMAT)
  request.exptime = parseI32(u8, tokens.start[1], tokens.end[1])
  if (request.exptime === NOT_A_NUMBER) return refuse(request, reply.BAD_EXPTIME)
  return takeKey(request, 2)
}

/** `<command> <key> <flags> <exptime> <bytes> [<cas>] [noreply]`; once the length is known, a refusal drops the data. */
function parseStore(request: Request, u8: Uint8Array): boolean {
  const { start, end, count } = request.tokens
  if (count < 5) return refuse(request, reply.BAD_FORMAT)
  const valueLength = parseLength(u8, start[4], end[4])
  if (valueLength < 0 || valueLength > 0x7ffffffd) return refuse(request, reply.BAD_FORMAT)
  request.valueLength = valueLength
  request.noreply = count > 5 && endsInNoreply(request, u8)
  if (!takeKey(request, 1)) return false
  request.flags = parseU32(u8, start[2], end[2])
  request.exptime = parseI32(u8, start[3], end[3])
  if (request.flags < 0 || request.exptime === NOT_A_NUMBER) return refuse(request, reply.BAD_FORMAT)
  return request.command !== Command.Cas || takeCas(request, u8)
}

function takeCas(request: Request, u8: Uint8Array): boolean {
  const { start, end, count } = request.tokens
  const cas = count > 5 ? parseU64(u8, start[5], end[5]) : undefined
  if (cas === undefined) return refuse(request, reply.BAD_FORMAT)
  request.cas = cas
  return true
}

function parseArithmetic(request: Request, u8: Uint8Array): boolean {
  const { tokens } = request
  if (tokens.count < 3) return refuse(request, reply.BAD_FORMAT)
  request.noreply = endsInNoreply(request, u8)
  if (!takeKey(request, 1)) return false
  const delta = parseU64(u8, tokens.start[2], tokens.end[2])
  if (delta === undefined) return refuse(request, reply.BAD_DELTA)
  request.delta = delta
  return true
}

/** An old form had a delay: nought is still taken, anything else is not. */
function parseDelete(request: Request, u8: Uint8Array): boolean {
  const { tokens } = request
  const { count, start } = tokens
  if (count < 2) return refuse(request, reply.BAD_FORMAT)
  request.noreply = count > 2 && endsInNoreply(request, u8)
  const extra = count - 2 - (request.noreply ? 1 : 0)
  const nought = extra === 1 && spells(u8, start[2], tokens.length(2), ZERO)
  if (extra > 0 && !nought) return refuse(request, reply.BAD_DELETE)
  return takeKey(request, 1)
}

function parseTouch(request: Request, u8: Uint8Array): boolean {
  const { tokens } = request
  if (tokens.count < 3) return refuse(request, reply.BAD_FORMAT)
  request.noreply = endsInNoreply(request, u8)
  if (!takeKey(request, 1)) return false
  request.exptime = parseI32(u8, tokens.start[2], tokens.end[2])
  return request.exptime !== NOT_A_NUMBER || refuse(request, reply.BAD_EXPTIME)
}
