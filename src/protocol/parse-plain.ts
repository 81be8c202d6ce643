/**
 * The four requests that most traffic consists of, read in one pass without splitting the line into words.
 * Anything unusual in them (more words, a sign, a long number, a bare newline) is left to the general way.
 */
import { CR, LF, SPACE } from './bytes.js'
import { Command } from './command.js'
import { MAX_WORDS } from './meta-flags.js'
import { MAX_KEY, type Request } from './request.js'

/** So many digits always fit in V8's small integers. */
const MAX_DIGITS = 9

/** Where reading has come to: shared by the functions below, which run to their end without interruption. */
let cursor = 0

/** `get <key>\r\n`, from its key on. */
export function plainGet(request: Request, u8: Uint8Array, start: number, end: number): boolean {
  if (!takeKey(request, u8, start, end) || !atLineEnd(u8, end)) return false
  request.command = Command.Get
  request.next = cursor + 2
  // Nothing follows: whoever walks over the keys finds the line's end at once.
  request.tokens.lineEnd = cursor
  return true
}

/** `set <key> <flags> <exptime> <bytes>\r\n`, from its key on. */
export function plainSet(request: Request, u8: Uint8Array, start: number, end: number): boolean {
  if (!takeKey(request, u8, start, end)) return false
  const flags = takeNumber(u8, end)
  const exptime = takeNumber(u8, end)
  const valueLength = takeNumber(u8, end)
  if (flags < 0 || exptime < 0 || valueLength < 0 || !atLineEnd(u8, end)) return false
  request.command = Command.Set
  request.flags = flags
  request.exptime = exptime
  request.valueLength = valueLength
  request.next = cursor + 2
  return true
}

/** `mg <key> <flags>*\r\n` or `ms <key> <bytes> <flags>*\r\n`, from its key on. */
export function plainMeta(request: Request, command: Command, u8: Uint8Array, start: number, end: number): boolean {
  if (!takeKey(request, u8, start, end)) return false
  const { tokens, meta } = request
  const isSet = command === Command.MetaSet
  const valueLength = isSet ? takeNumber(u8, end) : -1
  if (isSet && valueLength < 0) return false
  let count = isSet ? 3 : 2
  meta.clear()
  let at = cursor
  while (at < end && u8[at] === SPACE) {
    const word = ++at
    while (at < end && u8[at] > SPACE) at++
    if (at === word || count === MAX_WORDS || !meta.takePlain(u8, word, at)) return false
    tokens.start[count] = word
    tokens.end[count++] = at
  }
  cursor = at
  if (!atLineEnd(u8, end)) return false
  request.command = command
  request.valueLength = valueLength
  request.next = cursor + 2
  tokens.count = count
  return true
}

function takeKey(request: Request, u8: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end && u8[at] > SPACE) at++
  cursor = at
  request.keyStart = start
  request.keyLength = at - start
  return at > start && at - start <= MAX_KEY
}

/** One space and a number; −1 for anything else. */
function takeNumber(u8: Uint8Array, end: number): number {
  let at = cursor
  if (at >= end || u8[at] !== SPACE) return -1
  const first = ++at
  let value = 0
  while (at < end) {
    const digit = u8[at] - 48
    if (digit < 0 || digit > 9) break
    if (at - first >= MAX_DIGITS) return -1
    value = value * 10 + digit
    at++
  }
  cursor = at
  return at === first ? -1 : value
}

function atLineEnd(u8: Uint8Array, end: number): boolean {
  return cursor + 1 < end && u8[cursor] === CR && u8[cursor + 1] === LF
}
