/**
 * How transcripts write bytes: one character a byte (latin1), with escapes, repetitions and tokens.
 *
 *   \r \n \t \\ \xNN      single bytes
 *   {a*250}               250 times `a`; what is repeated may hold escapes
 *   {now+2}               in what is sent: the unix time in two seconds
 *   {cas:mine}            in what is sent: a CAS token that a reply gave; {cas:mine+1} and {cas:mine-1} are its neighbours
 *
 * and in what is expected:
 *
 *   <cas:mine>            a number; the first time it gets this name, afterwards it must be the same
 *   <cas:next above mine> likewise, and greater than the token called `mine`
 *   <number>              digits, perhaps with a sign, perhaps with decimals
 *   <28..30>              a whole number in this range
 *   <any>                 anything
 */

export type Names = Map<string, bigint>

type Part =
  | { kind: 'bytes'; bytes: string }
  | { kind: 'token'; name: string; offset: bigint }
  | { kind: 'time'; offsetSeconds: number }
  | { kind: 'hole'; pattern: string; check: (got: string, names: Names) => string | undefined }

const escapes: Record<string, string> = { r: '\r', n: '\n', t: '\t', '\\': '\\' }

function decode(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|(.))/gi, (all, hex: string | undefined, letter: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    const byte = escapes[letter]
    if (byte === undefined) throw new Error(`unknown escape ${all}`)
    return byte
  })
}

const braces = /\{now([+-]\d+)\}|\{cas:([a-z0-9]+)([+-]\d+)?\}|\{((?:[^{}\\]|\\.)+)\*(\d+)\}/g

/** What is to be sent, as parts: bytes, and tokens that are not known before the replies are in. */
export function parseSent(text: string): Part[] {
  return split(text, braces, ([, seconds, name, offset, repeated, times]) => {
    if (seconds !== undefined) return { kind: 'time', offsetSeconds: Number(seconds) }
    if (name !== undefined) return { kind: 'token', name, offset: BigInt(offset ?? 0) }
    return { kind: 'bytes', bytes: decode(repeated).repeat(Number(times)) }
  })
}

const repetition = /\{((?:[^{}\\]|\\.)+)\*(\d+)\}/
const hole = /<(any|number|cas:([a-z0-9]+)(?: above ([a-z0-9]+))?|(-?\d+)\.\.(-?\d+))>/
const expectedParts = new RegExp(`${repetition.source}|${hole.source}`, 'g')

export function parseExpected(text: string): Part[] {
  return split(text, expectedParts, ([, repeated, times, word, name, below, low, high]) => {
    if (repeated !== undefined) return { kind: 'bytes', bytes: decode(repeated).repeat(Number(times)) }
    if (word === 'any') return { kind: 'hole', pattern: '[^]*?', check: () => undefined }
    if (word === 'number') return { kind: 'hole', pattern: '-?\\d+(?:\\.\\d+)?', check: () => undefined }
    if (name !== undefined)
      return { kind: 'hole', pattern: '\\d+', check: (got, names) => bind(got, name, below, names) }
    return { kind: 'hole', pattern: '-?\\d+', check: (got) => inRange(got, Number(low), Number(high)) }
  })
}

function bind(got: string, name: string, below: string | undefined, names: Names): string | undefined {
  const token = BigInt(got)
  const known = names.get(name)
  if (known !== undefined && known !== token) return `token ${name} was ${known}, now ${token}`
  names.set(name, token)
  if (below === undefined) return undefined
  const lower = names.get(below)
  if (lower === undefined) return `no token is called ${below}`
  return token > lower ? undefined : `token ${name} is ${token}, not above ${below}, ${lower}`
}

function inRange(got: string, low: number, high: number): string | undefined {
  const value = Number(got)
  return value >= low && value <= high ? undefined : `${got} is not in ${low}..${high}`
}

function split(text: string, special: RegExp, make: (found: string[]) => Part): Part[] {
  const parts: Part[] = []
  let at = 0
  for (const found of text.matchAll(special)) {
    if (found.index > at) parts.push({ kind: 'bytes', bytes: decode(text.slice(at, found.index)) })
    parts.push(make(found))
    at = found.index + found[0].length
  }
  if (at < text.length || parts.length === 0) parts.push({ kind: 'bytes', bytes: decode(text.slice(at)) })
  return parts
}

/** The bytes to send, or undefined while a token in them has no value yet. */
export function bytesToSend(parts: Part[], names: Names): string | undefined {
  let bytes = ''
  for (const part of parts) {
    if (part.kind === 'bytes') bytes += part.bytes
    else if (part.kind === 'time') bytes += Math.floor(Date.now() / 1000) + part.offsetSeconds
    else if (part.kind === 'token') {
      const token = names.get(part.name)
      if (token === undefined) return undefined
      bytes += token + part.offset
    }
  }
  return bytes
}

/** How many newlines a matching reply has, its last one not counted. */
export function newlinesIn(parts: Part[]): number {
  return parts.reduce((sum, part) => sum + (part.kind === 'bytes' ? part.bytes.split('\n').length - 1 : 0), 0)
}

/** Undefined when `got` (without its last \r\n) matches; else what is wrong with it. Gives names to new tokens. */
export function mismatch(parts: Part[], got: string, names: Names): string | undefined {
  // Most have nothing to fill in, and a value of a megabyte is too much for a pattern.
  if (parts.every((part) => part.kind === 'bytes'))
    return parts.map((part) => part.bytes).join('') === got ? undefined : 'it reads differently'
  const pattern = parts.map((part) => (part.kind === 'hole' ? `(${part.pattern})` : quote(part))).join('')
  const found = new RegExp(`^${pattern}$`).exec(got)
  if (found === null) return 'it reads differently'
  let group = 1
  for (const part of parts) {
    if (part.kind !== 'hole') continue
    const wrong = part.check(found[group++], names)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function quote(part: Part): string {
  return part.kind === 'bytes' ? part.bytes.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&') : ''
}

export type { Part }
