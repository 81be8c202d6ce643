/**
 * The steps that stock memcached has for locks. What stores is a classic command also where there are meta commands: when memcached
 * has no memory for an `ms` it drops the item that is there, whatever the mode and the token, and with it the lock of somebody else; `add`
 * and `cas` leave it. They do not tell the token of what they have stored: the item is read right behind them, over the same
 * connection and in the same round trip.
 */
import type { MetaReply } from '../../../client/index.js'
import { OutcomeUnknownError } from '../../errors.js'
import { asking, changing, type Line } from './dialect.js'
import { sending } from './outcome.js'

export interface Item {
  readonly value: Buffer
  readonly cas: bigint
  /** undefined where the server does not tell, or for no end. */
  readonly leftMs: number | undefined
}

/** The token of what was stored, or else what is there instead, if anything; `done`: it was stored, and is gone again already. */
export type Stored =
  | { readonly cas: bigint }
  | { readonly cas: undefined; readonly done: boolean; readonly found: Item | undefined }

/** Where there is nothing. `seconds`: 0 for ever. */
export async function add(key: string, value: string, seconds: number, line: Line): Promise<Stored> {
  const data = Buffer.from(value)
  const options = { ...changing(line), ttl: seconds * 1000, classic: true }
  return withToken(sending(key, 'adds', line.client.add(key, data, options)), key, data, line)
}

/** Where the item still has this token. */
export async function swap(key: string, value: string, seconds: number, cas: bigint, line: Line): Promise<Stored> {
  const data = Buffer.from(value)
  const options = { ...changing(line), ttl: seconds * 1000, classic: true }
  const outcome = sending(key, 'adds', line.client.cas(key, data, cas, options), (said) => said === 'stored')
  return withToken(outcome, key, data, line)
}

export async function read(key: string, line: Line): Promise<Item | undefined> {
  return sending(key, 'asks', line.session.meta ? readMeta(key, line) : readClassic(key, line))
}

export function remove(key: string, cas: bigint, line: Line): Promise<boolean> {
  return sending(key, 'changes', line.client.delete(key, { ...changing(line), cas }))
}

/** Nothing can have come between the two but another client's request. */
async function withToken(storing: Promise<boolean>, key: string, data: Buffer, line: Line): Promise<Stored> {
  const reading = read(key, { ...line, call: { ...line.call, signal: undefined } })
  const [stored, found] = await Promise.allSettled([storing, reading])
  if (stored.status === 'rejected') throw stored.reason
  if (found.status === 'rejected') {
    if (stored.value) throw new OutcomeUnknownError(found.reason)
    return { cas: undefined, done: false, found: undefined }
  }
  const item = found.value
  if (stored.value && item?.value.equals(data)) return { cas: item.cas }
  return { cas: undefined, done: stored.value, found: item }
}

async function readMeta(key: string, line: Line): Promise<Item | undefined> {
  const reply = await line.client.meta('mg', key, ['v', 'c', 't'], undefined, asking(line))
  const cas = flagOf(reply, 'c')
  if (reply.value === undefined || cas === undefined) return undefined
  const left = Number(flagOf(reply, 't') ?? -1)
  return { value: reply.value, cas: BigInt(cas), leftMs: left < 0 ? undefined : left * 1000 }
}

async function readClassic(key: string, line: Line): Promise<Item | undefined> {
  const found = await line.client.gets(key, asking(line))
  return found && { ...found, leftMs: undefined }
}

function flagOf({ flags }: MetaReply, letter: string): string | undefined {
  return flags.find((flag) => flag.startsWith(letter))?.slice(1)
}
