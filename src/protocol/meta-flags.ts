/** The flags of one meta command: which letters were sent, and the values they carried. */
import { Command } from './command.js'
import { MAX_I32, NOT_A_NUMBER, parseI32, parseMs, parseU32, parseU64 } from './numbers.js'
import * as reply from './replies.js'
import type { Text } from './text.js'
import type { Tokens } from './tokens.js'

/** Letters as bytes, for those who switch on them. */
export const Flag = {
  b: 98,
  c: 99,
  f: 102,
  g: 103,
  h: 104,
  k: 107,
  l: 108,
  p: 112,
  q: 113,
  s: 115,
  t: 116,
  u: 117,
  v: 118,
  w: 119,
  x: 120,
  z: 122,
  C: 67,
  D: 68,
  E: 69,
  F: 70,
  I: 73,
  J: 74,
  L: 76,
  M: 77,
  N: 78,
  O: 79,
  P: 80,
  R: 82,
  T: 84,
} as const

export const MAX_WORDS = 20
/** Bytes, the letter `O` included. */
const MAX_OPAQUE = 32
const MAX_ASCII = 127

const lower = (letter: number) => 1 << (letter - 97)
const upper = (letter: number) => 1 << (letter - 65)

const lowerBits = (letters: string) => [...letters].reduce((bits, char) => bits | lower(char.charCodeAt(0)), 0)

/** The letters that carry no value. */
const LOWER_FLAGS = lowerBits('bcfhklqstuvx')

/** Our own letters, by command: those of others are refused as unknown, so that none is passed over in silence. */
const LOCK_FLAGS: number[] = []
LOCK_FLAGS[Command.MetaGet] = lowerBits('pw')
LOCK_FLAGS[Command.MetaSet] = lowerBits('gpwz')
LOCK_FLAGS[Command.MetaDelete] = lowerBits('g')
LOCK_FLAGS[Command.MetaArithmetic] = lowerBits('p')
LOCK_FLAGS[Command.MetaDebug] = 0

export class MetaFlags {
  /** One bit a letter sent: bit 0 is `a`, and `A`. */
  #lower = 0
  #upper = 0
  /** Seconds, as sent. */
  ttl = 0
  /** Of `p<ms>`: 0 for ever, negative is over. Undefined without a number, when `p` only asks. */
  ttlMs: number | undefined = undefined
  /** Of `w<ms>`. */
  waitMs = 0
  /** Of `g<fence>`. */
  fence: bigint | undefined = undefined
  vivifyTtl = 0
  recacheTtl = 0
  clientFlags = 0
  mode = 0
  compareCas: bigint | undefined = undefined
  newCas: bigint | undefined = undefined
  initial = 0n
  delta = 1n

  has(letter: number): boolean {
    return letter >= 97 ? (this.#lower & lower(letter)) !== 0 : (this.#upper & upper(letter)) !== 0
  }

  clear(): void {
    this.#lower = 0
    this.#upper = 0
    this.compareCas = undefined
    this.newCas = undefined
    this.mode = 0
    this.clientFlags = 0
    this.ttl = 0
    this.ttlMs = undefined
    this.waitMs = 0
    this.fence = undefined
  }

  /** A time to live was sent: `T`, or `p` with a number. */
  get givesTtl(): boolean {
    return this.ttlMs !== undefined || (this.#upper & upper(Flag.T)) !== 0
  }

  /** Takes the word if it is one of the common ones and in order; false leaves it to `read`, and what there is to say. */
  takePlain(u8: Uint8Array, start: number, end: number): boolean {
    const letter = u8[start]
    if (end === start + 1) {
      if (letter < 97 || letter > 122 || letter === Flag.b) return false
      const bit = lower(letter)
      if ((bit & LOWER_FLAGS) === 0 || (this.#lower & bit) !== 0) return false
      this.#lower |= bit
      return true
    }
    if (letter !== Flag.O && letter !== Flag.T) return false
    const bit = upper(letter)
    if ((this.#upper & bit) !== 0) return false
    this.#upper |= bit
    if (letter === Flag.O) return end - start <= MAX_OPAQUE
    this.ttl = parseI32(u8, start + 1, end)
    return this.ttl !== NOT_A_NUMBER
  }

  /** Nothing was sent that changes the item, or depends on when: only what is to be told. */
  get asksOnly(): boolean {
    return (this.#upper & ~upper(Flag.O)) === 0 && this.ttlMs === undefined
  }

  /** Takes the words from `first` on, as `command` has them. The error to reply with, or `undefined`. */
  read(u8: Uint8Array, tokens: Tokens, first: number, command: Command): Text | undefined {
    this.clear()
    if (tokens.count > MAX_WORDS) return reply.TOO_MANY_FLAGS
    let error: Text | undefined
    for (let i = first; i < tokens.count; i++) {
      const letter = u8[tokens.start[i]]
      if (letter >= 97 && letter <= 122) {
        const bit = lower(letter)
        if ((this.#lower & bit) !== 0) return reply.DUPLICATE_FLAG
        this.#lower |= bit
        if ((bit & LOWER_FLAGS) !== 0) continue
        if ((bit & LOCK_FLAGS[command]) === 0) return reply.INVALID_FLAG
        error = this.#lockValue(u8, letter, tokens.start[i] + 1, tokens.end[i], command) ?? error
        continue
      }
      if (letter >= MAX_ASCII) return reply.DUPLICATE_FLAG
      if (letter < 65 || letter > 90) return reply.INVALID_FLAG
      const bit = upper(letter)
      if ((this.#upper & bit) !== 0) return reply.DUPLICATE_FLAG
      this.#upper |= bit
      const refused = this.#value(u8, letter, tokens.start[i] + 1, tokens.end[i])
      if (refused === reply.INVALID_FLAG) return refused
      // Of several faults the last is told; what is wrong with F only if it is the first.
      error = refused === reply.BAD_FORMAT ? (error ?? refused) : (refused ?? error)
    }
    return error ?? (this.ttlMs !== undefined && this.has(Flag.T) ? reply.TWO_TTLS : undefined)
  }

  /** Without a number `p` and `w` ask, which only `mg` may; with one they tell. */
  #lockValue(u8: Uint8Array, letter: number, start: number, end: number, command: Command): Text | undefined {
    const asks = start === end && command === Command.MetaGet
    switch (letter) {
      case Flag.p:
        if (asks) return undefined
        this.ttlMs = parseMs(u8, start, end)
        return this.ttlMs === undefined ? reply.BAD_TOKEN : undefined
      case Flag.w:
        if (asks) return undefined
        this.waitMs = parseMs(u8, start, end) ?? -1
        return this.waitMs < 0 || command === Command.MetaGet ? reply.BAD_TOKEN : undefined
      case Flag.g:
        this.fence = parseU64(u8, start, end)
        return this.fence === undefined ? reply.BAD_TOKEN : undefined
      default:
        return start < end ? reply.BAD_TOKEN : undefined
    }
  }

  #value(u8: Uint8Array, letter: number, start: number, end: number): Text | undefined {
    switch (letter) {
      case Flag.T:
        this.ttl = parseI32(u8, start, end)
        return this.ttl === NOT_A_NUMBER ? reply.BAD_TOKEN : undefined
      case Flag.N:
        this.vivifyTtl = parseI32(u8, start, end)
        return this.vivifyTtl === NOT_A_NUMBER ? reply.BAD_TOKEN : undefined
      case Flag.R:
        this.recacheTtl = parseI32(u8, start, end)
        return this.recacheTtl === NOT_A_NUMBER ? reply.BAD_TOKEN : undefined
      case Flag.F:
        this.clientFlags = parseU32(u8, start, end)
        return this.clientFlags < 0 ? reply.BAD_FORMAT : undefined
      case Flag.C:
        this.compareCas = parseU64(u8, start, end)
        return this.compareCas === undefined ? reply.BAD_TOKEN : undefined
      case Flag.E:
        this.newCas = parseU64(u8, start, end)
        return this.newCas === undefined ? reply.BAD_TOKEN : undefined
      case Flag.J:
        return this.#initial(parseU64(u8, start, end))
      case Flag.D:
        return this.#delta(parseU64(u8, start, end))
      case Flag.M:
        this.mode = start < end ? u8[start] : MAX_I32
        return undefined
      case Flag.O:
        return end - start > MAX_OPAQUE - 1 ? reply.OPAQUE_TOO_LONG : undefined
      case Flag.I:
      case Flag.P:
      case Flag.L:
        return undefined
      default:
        return reply.INVALID_FLAG
    }
  }

  #initial(value: bigint | undefined): Text | undefined {
    this.initial = value ?? 0n
    return value === undefined ? reply.BAD_INITIAL : undefined
  }

  #delta(value: bigint | undefined): Text | undefined {
    this.delta = value ?? 0n
    return value === undefined ? reply.BAD_META_DELTA : undefined
  }
}
