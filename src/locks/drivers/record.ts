/**
 * What is written under a lock's key: one line of JSON with short keys, for every driver the same.
 * `{"o":"<owner>","f":"<fence>","h":"<host>","p":<pid>,"l":"<label>","s":<since>}`, where all but the owner may be missing. Without
 * `f` the item's own token is the fence, where tokens are fences at all; an empty one says that there is none. Other members mean nothing.
 */
import { randomBytes } from 'node:crypto'
import type { Holder } from '../driver.js'

/** A lock's record is far below; what is longer is something else. */
const LONGEST_BYTES = 4096
const OWNER = /^[0-9a-f]{32}$/
const FENCE = /^\d{1,20}$/

/** `none`: a lock without a fence. `token`: the token of the item that this is. */
export type Fence = bigint | 'none' | 'token'

export interface LockRecord {
  readonly holder: Holder
  readonly fence: Fence
}

export function encodeRecord({ owner, host, pid, label, since }: Holder, fence: Fence): string {
  const f = fence === 'token' ? '' : fence === 'none' ? ',"f":""' : `,"f":"${fence}"`
  const s = since === undefined ? '' : `,"s":${since}`
  return `{"o":"${owner}"${f}${whoOf({ host, pid, label })}${s}}`
}

/** As `encodeRecord`, and never the same text twice: for who takes the hash of a record for its version. */
export function encodeAnew(holder: Holder, fence: Fence): string {
  return `${encodeRecord(holder, fence).slice(0, -1)},"n":"${randomBytes(8).toString('hex')}"}`
}

type Who = Pick<Holder, 'host' | 'pid' | 'label'>

let lastWho: Who = {}
let lastWhoText = ''

/** The part of a record that is the same for nearly all locks of a program: writing it takes as long as all else of an add. */
function whoOf(who: Who): string {
  const { host, pid, label } = who
  if (host === lastWho.host && pid === lastWho.pid && label === lastWho.label) return lastWhoText
  const members = JSON.stringify({ h: host, p: pid, l: label }).slice(1, -1)
  lastWho = who
  lastWhoText = members === '' ? '' : `,${members}`
  return lastWhoText
}

/** undefined for what no lock has written. */
export function decodeRecord(value: Uint8Array): LockRecord | undefined {
  if (value.length > LONGEST_BYTES) return undefined
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.length).toString())
  } catch {
    return undefined
  }
  if (typeof json !== 'object' || json === null) return undefined
  const { o, f, h, p, l, s } = json as Record<string, unknown>
  const fence = fenceOf(f)
  if (typeof o !== 'string' || !OWNER.test(o) || fence === undefined) return undefined
  const holder = {
    owner: o,
    host: typeof h === 'string' ? h : undefined,
    pid: typeof p === 'number' ? p : undefined,
    label: typeof l === 'string' ? l : undefined,
    since: typeof s === 'number' ? s : undefined,
  }
  return { holder, fence }
}

/**
 * Whoever has put something else under a lock's key holds it, in effect. Nobody has this owner, so it can be taken away, and
 * never extended.
 */
export const FOREIGN: LockRecord = Object.freeze({
  holder: Object.freeze({ owner: '', label: 'something that is no lock' }),
  fence: 'none' as const,
})

function fenceOf(text: unknown): Fence | undefined {
  if (text === undefined) return 'token'
  if (text === '') return 'none'
  return typeof text === 'string' && FENCE.test(text) ? BigInt(text) : undefined
}
