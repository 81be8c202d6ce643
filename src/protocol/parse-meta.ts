/** The arguments of the meta commands that name a key. Answers false after setting `request.error`. */
import { decodeBase64 } from './base64.js'
import { ascii } from './bytes.js'
import { Command } from './command.js'
import { Flag } from './meta-flags.js'
import { parseLength } from './numbers.js'
import * as reply from './replies.js'
import { MAX_KEY, type Request } from './request.js'
import type { Text } from './text.js'

/** Add, append, prepend, replace, set. */
const SET_MODES = ascii('EAPRS')
const ARITHMETIC_MODES = ascii('ID+-')

export function parseMeta(request: Request, u8: Uint8Array): boolean {
  const { tokens, meta } = request
  const isSet = request.command === Command.MetaSet
  if (tokens.count < (isSet ? 3 : 2)) return refuse(request, reply.BAD_FORMAT)
  if (isSet && !takeLength(request, u8)) return false
  request.keyStart = tokens.start[1]
  request.keyLength = tokens.length(1)
  const error = request.keyLength > MAX_KEY ? reply.BAD_FORMAT : readArguments(request, u8, isSet ? 3 : 2)
  const isArithmetic = request.command === Command.MetaArithmetic
  if (error !== undefined) return refuse(request, isArithmetic ? forArithmetic(error) : error)
  request.waitedMs = 0
  if (isSet && meta.has(Flag.w) && !isAdd(meta.mode)) return refuse(request, reply.WAIT_WITHOUT_ADD)
  if (isSet && meta.has(Flag.w) && meta.fence !== undefined) return refuse(request, reply.WAIT_WITH_FENCE)
  if (meta.mode === 0) return true
  if (isSet && !SET_MODES.includes(meta.mode)) return refuse(request, reply.BAD_SET_MODE)
  if (isArithmetic && !ARITHMETIC_MODES.includes(meta.mode)) return refuse(request, reply.BAD_ARITHMETIC_MODE)
  return true
}

function readArguments(request: Request, u8: Uint8Array, first: number): Text | undefined {
  const error = request.meta.read(u8, request.tokens, first, request.command)
  if (error === undefined) return takeKey(request, u8)
  // A key that cannot be decoded is told of rather than bad client flags.
  return error === reply.BAD_FORMAT ? (takeKey(request, u8) ?? error) : error
}

function isAdd(mode: number): boolean {
  return mode === SET_MODES[0]
}

function refuse(request: Request, error: Text): false {
  request.error = error
  return false
}

function takeLength(request: Request, u8: Uint8Array): boolean {
  const valueLength = parseLength(u8, request.tokens.start[2], request.tokens.end[2])
  if (valueLength < 0 || valueLength > 0x7ffffffd) return refuse(request, reply.BAD_FORMAT)
  request.valueLength = valueLength
  return true
}

function takeKey(request: Request, u8: Uint8Array): Text | undefined {
  if (!request.meta.has(Flag.b)) return undefined
  const length = decodeBase64(u8, request.keyStart, request.keyLength, request.decodedKey.u8)
  if (length === 0) return reply.BAD_BASE64
  request.keySource = request.decodedKey
  request.keyStart = 0
  request.keyLength = length
  return undefined
}

/** `ma` has one wording for every refusal but two: memcached looks at the opaque later, and `p` is not memcached's. */
function forArithmetic(error: Text): Text {
  return error === reply.OPAQUE_TOO_LONG || error === reply.TWO_TTLS ? error : reply.INVALID_OR_DUPLICATE_FLAG
}
