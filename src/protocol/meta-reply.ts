/** What a meta command answers about an item: the return flags, in the order asked. */
import { writeBase64 } from './base64.js'
import { Command } from './command.js'
import { Flag } from './meta-flags.js'
import type { Output } from './output.js'
import type { Request } from './request.js'

/** What the return flags tell of an item. */
export interface MetaItem {
  /** Client flags. */
  readonly flags: number
  /** Bytes. */
  readonly valueLength: number
  readonly cas: bigint
  /** Milliseconds left, −1 for ever. */
  readonly ttlMs: number
  /** The same, of before this very request. */
  readonly ttlBeforeMs: number
  readonly idleSeconds: number
  readonly fetched: boolean
  /** Adds that wait for this key. */
  readonly waiters: number
}

/** What `ma` tells. */
const NUMBER_FLAGS = [Flag.c, Flag.k, Flag.O, Flag.t, Flag.T, Flag.p] as readonly number[]
const SPACED = 32 << 8
const MINUS_ONE = 0x2d31
const SPACE_B = SPACED | Flag.b

/**
 * All flags that ask for something; `item` is what is known of it. When the request `touched` it, `t` and `p` tell the
 * life it had before up to the flag that gave it another, and the new one from there on.
 */
export function writeReturnFlags(out: Output, request: Request, item: MetaItem, touched = false): void {
  const { tokens, source } = request
  let before = touched
  const isNumber = request.command === Command.MetaArithmetic
  for (let i = firstFlag(request); i < tokens.count; i++) {
    const letter = source.u8[tokens.start[i]]
    if (isNumber && !NUMBER_FLAGS.includes(letter)) continue
    switch (letter) {
      case Flag.k:
        writeKey(out, request)
        break
      case Flag.O:
        writeToken(out, request, i)
        break
      case Flag.s:
        out.pair(SPACED | letter)
        out.number(item.valueLength)
        break
      case Flag.c:
        out.pair(SPACED | letter)
        out.bigint(item.cas)
        break
      case Flag.f:
        out.pair(SPACED | letter)
        out.number(item.flags)
        break
      case Flag.t:
        out.pair(SPACED | letter)
        writeSeconds(out, before ? item.ttlBeforeMs : item.ttlMs)
        break
      case Flag.T:
        before = false
        break
      case Flag.p:
        if (tokens.length(i) > 1) before = false
        else writeMs(out, before ? item.ttlBeforeMs : item.ttlMs)
        break
      case Flag.w:
        out.pair(SPACED | letter)
        out.number(request.valueLength >= 0 ? request.waitedMs : item.waiters)
        break
      case Flag.l:
        out.pair(SPACED | letter)
        out.number(item.idleSeconds)
        break
      case Flag.h:
        out.pair(SPACED | letter)
        out.byte(item.fetched ? 49 : 48)
        break
    }
  }
}

/** Only what can be said without an item: the opaque and the key; of a refused store also the size sent, and 0 for a token. */
export function writeEchoFlags(out: Output, request: Request): void {
  const { tokens, source } = request
  const isStore = request.valueLength >= 0
  for (let i = firstFlag(request); i < tokens.count; i++) {
    const letter = source.u8[tokens.start[i]]
    if (letter === Flag.O) writeToken(out, request, i)
    else if (letter === Flag.k) writeKey(out, request)
    else if (isStore && (letter === Flag.c || letter === Flag.s)) {
      out.pair(SPACED | letter)
      out.number(letter === Flag.s ? request.valueLength : 0)
    }
  }
}

function writeSeconds(out: Output, ms: number): void {
  if (ms < 0) out.pair(MINUS_ONE)
  else out.number(Math.ceil(ms / 1000))
}

function writeMs(out: Output, ms: number): void {
  out.pair(SPACED | Flag.p)
  if (ms < 0) out.pair(MINUS_ONE)
  else out.number(ms)
}

function firstFlag(request: Request): number {
  return request.valueLength >= 0 ? 3 : 2
}

function writeToken(out: Output, request: Request, token: number): void {
  out.byte(32)
  out.copy(request.source, request.tokens.start[token], request.tokens.length(token))
}

function writeKey(out: Output, request: Request): void {
  out.pair(SPACED | Flag.k)
  if (request.keySource !== request.decodedKey) {
    out.copy(request.keySource, request.keyStart, request.keyLength)
    return
  }
  writeBase64(out, request.keySource.u8, request.keyStart, request.keyLength)
  out.pair(SPACE_B)
}
