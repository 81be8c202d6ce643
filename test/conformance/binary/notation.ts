/**
 * Transcripts of the binary protocol: one frame a line. Sections and names of targets are those of `transcript.ts`, and
 * bytes are written as in `notation.ts`.
 *
 *   > set a hello flags=7 exptime=0 cas=one   a request: opcode, key, value, and fields; names of tokens are bound by replies
 *   > 0x99 "a b"                              opcodes without a name, keys with spaces
 *   > get a keylen=9 bodylen=1                what the header says, true or not; magic, type, vbucket, extlen, extras=<hex>
 *   >> get a\r\n                              these bytes
 *   < set ok cas=one                          a response: opcode, status, value, and fields flags, number, key, cas
 *   < get not_found                           an error has its text, unless a value is given; extras, key and token are none
 *   <stats pid version                        responses to stat up to the last, these names among them
 *   text> get a, text< VALUE a 0 1            on another connection, in text
 *   closed, abandon, @other, ~ 1.5s           as in transcripts of text
 */
import { extras, opcodes, type RequestParts, type Response } from '../../support/binary.js'
import { bytesToSend, mismatch, type Names, type Part, parseExpected, parseSent } from '../notation.js'
import type { Target } from '../transcript.js'

export type Step =
  | { kind: 'request'; build: (names: Names) => RequestParts }
  | { kind: 'raw'; bytes: string }
  | { kind: 'response'; check: (response: Response, names: Names) => string | undefined }
  | { kind: 'stats'; wanted: string[] }
  | { kind: 'text'; sent: string }
  | { kind: 'line'; parts: Part[] }
  | { kind: 'sleep'; ms: number }
  | { kind: 'connection'; name: string }
  | { kind: 'closed' }
  | { kind: 'abandon' }

const statuses: Record<string, [number, string]> = {
  ok: [0x00, ''],
  not_found: [0x01, 'Not found'],
  exists: [0x02, 'Data exists for key.'],
  too_large: [0x03, 'Too large.'],
  invalid: [0x04, 'Invalid arguments'],
  not_stored: [0x05, 'Not stored.'],
  non_numeric: [0x06, 'Non-numeric server-side value for incr or decr'],
  auth_failure: [0x20, 'Auth failure.'],
  auth_continue: [0x21, ''],
  unknown: [0x81, 'Unknown command'],
}

const words = /^(>>|text>|text<|>|<stats|<latchkey|<1\.6\.18|<|~|@)(?: ?)(.*)$/

export function parseStep(source: string, target: Target, where: string): Step | undefined {
  if (source === 'closed' || source === 'abandon') return { kind: source }
  const found = words.exec(source)
  if (found === null) throw new Error(`${where}: not understood: ${source}`)
  const [, word, rest] = found
  switch (word) {
    case '>':
      return { kind: 'request', build: requestOf(rest) }
    case '>>':
      return { kind: 'raw', bytes: plain(rest) }
    case '<stats':
      return { kind: 'stats', wanted: rest.split(' ').filter(Boolean) }
    case 'text>':
      return { kind: 'text', sent: `${plain(rest)}\r\n` }
    case 'text<':
      return { kind: 'line', parts: parseExpected(rest) }
    case '~':
      return { kind: 'sleep', ms: Number.parseFloat(rest) * 1000 }
    case '@':
      return { kind: 'connection', name: rest }
    default:
      return word === '<' || word === `<${target}` ? { kind: 'response', check: checkOf(rest) } : undefined
  }
}

interface Line {
  plain: string[]
  fields: Map<string, string>
}

const part = /([a-z]+)=(?:"([^"]*)"|(\S*))|"([^"]*)"|(\S+)/g

function lineOf(text: string): Line {
  const line: Line = { plain: [], fields: new Map() }
  for (const [, name, quoted, bare, quotedWord, word] of text.matchAll(part)) {
    if (name !== undefined) line.fields.set(name, plain(quoted ?? bare))
    else line.plain.push(plain(quotedWord ?? word))
  }
  return line
}

function plain(text: string): string {
  return bytesToSend(parseSent(text), new Map()) ?? ''
}

function opcodeOf(word: string): number {
  const opcode = opcodes[word] ?? Number(word)
  if (!Number.isInteger(opcode)) throw new Error(`no opcode: ${word}`)
  return opcode
}

function requestOf(text: string): (names: Names) => RequestParts {
  const { plain: [word, key = '', value = ''], fields } = lineOf(text) // biome-ignore format: one line
  const number = (name: string) => (fields.has(name) ? Number(fields.get(name)) : undefined)
  const parts: RequestParts = { opcode: opcodeOf(word), key, value, extras: extrasOf(word, fields) }
  const said = { magic: number('magic'), dataType: number('type'), vbucket: number('vbucket') }
  const lengths = { keyLength: number('keylen'), extrasLength: number('extlen'), bodyLength: number('bodylen') }
  Object.assign(parts, known({ ...said, ...lengths }))
  return (names) => ({ ...parts, cas: tokenOf(fields.get('cas'), names) })
}

function known(fields: Record<string, number | undefined>): Record<string, number | undefined> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function extrasOf(word: string, fields: Map<string, string>): Buffer {
  const given = fields.get('extras')
  if (given !== undefined) return Buffer.from(given, 'hex')
  const number = (name: string, otherwise: number) => Number(fields.get(name) ?? otherwise)
  const big = (name: string, otherwise: bigint) => BigInt(fields.get(name) ?? otherwise)
  if (/^(set|add|replace)q?$/.test(word)) return extras(number('flags', 0), number('exptime', 0))
  if (/^(incr|decr)q?$/.test(word)) return extras(big('delta', 1n), big('initial', 0n), number('exptime', 0))
  if (/^(touch|gatk?q?)$/.test(word)) return extras(number('exptime', 0))
  if (/^flushq?$/.test(word) && fields.has('exptime')) return extras(number('exptime', 0))
  return word === 'verbosity' ? extras(number('level', 0)) : Buffer.alloc(0)
}

/** A number, or the name of a token, perhaps with an offset. */
function tokenOf(text: string | undefined, names: Names): bigint {
  if (text === undefined) return 0n
  if (/^\d+$/.test(text)) return BigInt(text)
  const [, name, offset = '0'] = /^([a-z]+)([+-]\d+)?$/.exec(text) ?? []
  const token = names.get(name)
  if (token === undefined) throw new Error(`no token is called ${name}`)
  return token + BigInt(offset)
}

function checkOf(text: string): (response: Response, names: Names) => string | undefined {
  const { plain: [word, statusWord, value], fields } = lineOf(text) // biome-ignore format: one line
  const opcode = opcodeOf(word)
  const [status, statusText] = statuses[statusWord] ?? [Number(statusWord), '']
  const key = fields.get('key') ?? ''
  // A miss that tells its key has no text.
  const wantedValue = value ?? (status === 1 && key !== '' ? '' : statusText)
  return (response, names) =>
    differs('opcode', response.opcode, opcode) ??
    differs('status', response.status, status) ??
    differs('extras', response.extras.toString('hex'), flagsOf(fields)) ??
    differs('key', response.key, key) ??
    valueDiffers(response.value, wantedValue, fields.get('number'), names) ??
    bind(response.cas, fields.get('cas'), names)
}

function differs<T>(what: string, got: T, wanted: T): string | undefined {
  return got === wanted ? undefined : `${what} is ${shown(got)}, not ${shown(wanted)}`
}

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 300)
}

function flagsOf(fields: Map<string, string>): string {
  return fields.has('flags') ? extras(Number(fields.get('flags'))).toString('hex') : ''
}

function valueDiffers(got: string, wanted: string, number: string | undefined, names: Names): string | undefined {
  if (number !== undefined) return differs('number', Buffer.from(got, 'latin1').toString('hex'), hex(BigInt(number)))
  return mismatch(parseExpected(wanted), got, names) === undefined ? undefined : differs('value', got, wanted)
}

function hex(number: bigint): string {
  return extras(number).toString('hex')
}

function bind(got: bigint, name: string | undefined, names: Names): string | undefined {
  if (name === undefined) return differs('token', `${got}`, '0')
  if (name === 'any') return got === 0n ? 'there is no token' : undefined
  const known = names.get(name)
  names.set(name, got)
  if (got === 0n) return 'there is no token'
  return known === undefined || known === got ? undefined : `token ${name} was ${known}, now ${got}`
}
