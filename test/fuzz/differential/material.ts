/** What commands are made of: values at and around the limits, for one conversation that draws a few of them. */
import type { Random } from '../random.js'

/** What both servers are told to take at most for an item (`-I`), in bytes. */
export const ITEM_MAX_BYTES = 524_288
/** What memcached's own record takes besides key and value: header, token, flags, and the ends of key and value. */
const RECORD_BYTES = 48 + 8 + 4 + 1 + 2
/** Of a token that a reply has given: characters from here on stand for one, counted from the latest. */
export const TOKEN = 0x100
const TOKENS_TOLD_APART = 0x400

/** Numbers that fit in 31 bits, and text that is nearly one. */
const smallNumbers = [
  ...['0', '1', '2', '5', '7', '10', '99', '100', '1000', '007', '+5', '-1', '-0', 'x', '1x', '1.5', '0x10', '1e3'],
  ...['00000000000000000000000000000001', '65535', '65536', '+', '-', '\t5', '5\t', "'", '1000000000', '2147483647'],
]
/** Of times: none that ends while this runs. */
const oddLives = [
  ...[
    'x',
    '1x',
    '1.5',
    '0x10',
    '-0',
    '+100',
    '0100',
    '\t100',
    '100\t',
    '100\tx',
    '-100',
    "'",
    '-',
    '+',
    '65536',
    '1e3',
  ],
]
/** At the ends of what fits in 32 and in 64 bits. */
const numbers = [
  ...smallNumbers,
  ...['2147483648', '4294967295', '4294967296', '9223372036854775807', '9223372036854775808'],
  ...['18446744073709551615', '18446744073709551616', '99999999999999999999', '-18446744073709551615'],
  ...['-2147483648', '-2147483649', '-9223372036854775808', '-18446744073709551616'],
]
/** Seconds: for ever, long, over already; unix times of the past and of the far future. */
const lives = [
  ...['0', '0', '0', '0', '100', '3600', '2592000', '2592001', '1000000000', '2147483647', '-1', '-2147483648'],
]
const clientFlags = ['0', '0', '0', '1', '7', '65535', '65536', '2147483648', '4294967295']

const texts = ['abc', 'x', 'y'.repeat(40), 'x'.repeat(300), 'get nothing', '\r\nx', 'a b\0c\xff']
const counts = ['0', '5', '9', '10', '99', '100', '1000', '4294967295', '4294967296', '9223372036854775807', '7 ', ' 7']
const hardCounts = ['18446744073709551615', '18446744073709551616', '\t+7', '7\0x', '7 x', `${'0'.repeat(30)}7 `, '-1']
const sizes = [1, 2, 47, 48, 95, 96, 1000, 1023, 1024, 2046, 2047, 2048, 2049, 4096, 8191]

/** None that a server gives while this runs; 1 it has given before. */
const oddTokens = [
  ...['0', '-0', '1', '+1', '0001', 'x', '1x', '-1', '4294967296', '9223372036854775807', '9223372036854775808'],
  ...['18446744073709551615', '18446744073709551616', '-18446744073709551615', '1\t', '\t1x'],
]

export interface Palette {
  /** Draws from everything that is wrong, too, as often as this (percent). */
  readonly faults: number
  /** What is wrong is nothing but the lengths of data blocks. */
  readonly shortens: boolean
  /** Values are numbers, more often than not. */
  readonly counts: boolean
  /** Values reach up to this limit of an item, in bytes; 0: they do not. */
  readonly large: number
  /** How many of the keys are used. */
  readonly keys: number
}

/** Draws what a conversation's commands are made of. The lane's keys are its own: nobody else uses them. */
export class Material {
  readonly random: Random
  readonly palette: Palette
  readonly keys: readonly string[]

  constructor(random: Random, palette: Palette, lane: number) {
    this.random = random
    this.palette = palette
    const keys = keysOf(lane)
    const first = random.below(keys.length)
    this.keys = keys.map((_, at) => keys[(first + at) % keys.length]).slice(0, palette.keys)
  }

  get isWrong(): boolean {
    return !this.palette.shortens && this.random.chance(this.palette.faults)
  }

  get isShort(): boolean {
    return this.palette.shortens && this.random.chance(this.palette.faults)
  }

  key(): string {
    return this.isWrong ? 'k'.repeat(this.random.pick([251, 300])) : this.random.pick(this.keys)
  }

  rightKey(): string {
    return this.random.pick(this.keys)
  }

  /** A key that classic commands can say. */
  word(): string {
    const key = this.key()
    return key.includes(' ') ? `${key.slice(0, key.indexOf(' '))}a` : key
  }

  smallNumber(): string {
    return this.random.pick(smallNumbers)
  }

  number(): string {
    return this.random.pick(numbers)
  }

  /** Not beyond 32 bits: of those memcached takes the lower half, and Latchkey refuses them. */
  exptime(): string {
    return this.isWrong ? this.random.pick(oddLives) : this.random.pick(lives)
  }

  clientFlags(): string {
    return this.isWrong ? this.smallNumber() : this.random.pick(clientFlags)
  }

  value(): string {
    const { random, palette } = this
    if (palette.large > 0) return 'v'.repeat(random.chance(50) ? this.#largeSize() : random.pick([0, 1000]))
    if (palette.counts && random.chance(70)) return random.pick(random.chance(20) ? hardCounts : counts)
    // As a command, which 1.6.18 makes of a store's data when it refuses the store, it must not be too long for a line.
    if (palette.faults === 0 && random.chance(8)) return 'z'.repeat(random.pick(sizes))
    // What follows an empty number in memcached's memory is anybody's guess: where there is counting there is no empty value.
    return palette.counts ? random.pick(texts) : random.pick(['', ...texts])
  }

  /**
   * So large that memcached just takes it, with any key and flags; or too large with any, and with 1000 bytes more. What is
   * between depends on the size of a record's header, which is each server's own.
   */
  #largeSize(): number {
    const { large } = this.palette
    const largest = large - RECORD_BYTES - 250
    return this.random.pick([largest, largest - 1, largest >> 1, large + 1])
  }

  /** Of a reply, if there was one: mostly one of the last. */
  token(): string {
    return this.isWrong ? this.random.pick(oddTokens) : this.givenToken()
  }

  givenToken(): string {
    const { random } = this
    return String.fromCharCode(TOKEN + random.below(random.pick([1, 4, TOKENS_TOLD_APART])))
  }

  lineEnd(): string {
    return this.random.chance(5) ? '\n' : '\r\n'
  }

  space(): string {
    return this.random.chance(3) ? '  ' : ' '
  }

  noreply(): string {
    return this.random.chance(12) ? ' noreply' : ''
  }
}

/** Every key that a lane's conversations may fill. The last can only be said in base64 and in binary frames. */
export function keysOf(lane: number): string[] {
  const own = `f${lane}.`
  const long = [249, 250].map((length) => own.padEnd(length, 'k'))
  return [`${own}a`, `${own}b`, `${own}\x01\xff`, ...long, `${own}Zm9v`, `${own} \x02`]
}
