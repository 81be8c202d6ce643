/**
 * Locks on a Latchkey server: lives in milliseconds, and tokens that never come again, so that the token of the winning add is
 * the fence and one round trip is all.
 */
import type { MetaReply } from '../../../client/index.js'
import type { Claim, ClaimResult, Found, Lease } from '../../driver.js'
import { OutcomeUnknownError } from '../../errors.js'
import { lifeMs } from '../life.js'
import { decodeRecord, encodeRecord, FOREIGN } from '../record.js'
import { asking, changing, type Dialect, type Line } from './dialect.js'
import { raiseOnLatchkey } from './floors.js'
import { sending } from './outcome.js'

/** What a server answers to an add that may wait, with what is needed of it. */
export interface Added {
  readonly cas: bigint | undefined
  /** Whole milliseconds that the request was kept waiting, rounded down. */
  readonly waitedMs: number
}

/** The add, which with `waitMs` takes its place in the key's queue. */
export function add<T>(
  claim: Claim,
  waitMs: number,
  { client, session }: Line,
  deadlineMs: number,
  read: (added: Added) => T,
): Promise<T> {
  const { key, name, holder, ttlMs, guarantee } = claim
  const flags = ['ME', `p${lifeMs(ttlMs)}`, 'c']
  if (waitMs > 0) flags.push(`w${waitMs}`)
  const record = encodeRecord(holder, claim.fence ?? (guarantee === 'fenced' ? 'token' : 'none'))
  const request = client.meta('ms', key, flags, record, { session, deadlineMs })
  return sending(name, 'adds', request, (reply) => read(added(reply)))
}

export function leaseOf({ key, name, holder, guarantee }: Claim, cas: bigint, from: number): Lease {
  const fence = guarantee === 'fenced' ? cas : undefined
  return { key, name, holder, guarantee, fence, version: cas, from, granularityMs: 0 }
}

/** undefined where another has it. */
export function tryAdd(claim: Claim, line: Line): Promise<Lease | undefined> {
  const from = line.call.clock.now()
  return add(claim, 0, line, line.call.deadlineMs, ({ cas }) => {
    return cas === undefined ? undefined : leaseOf(claim, cas, from)
  })
}

export const latchkey: Dialect = {
  async claim(claim, line): Promise<ClaimResult> {
    const lease = await tryAdd(claim, line)
    if (lease !== undefined) return { status: 'held', lease }
    return { status: 'busy', found: await latchkey.find(claim.key, line).catch(() => undefined), queued: false }
  },

  async extend(lease, ttlMs, line): Promise<Lease | undefined> {
    const { key, name, holder, fence, version } = lease
    const from = line.call.clock.now()
    const flags = [`C${version}`, `p${lifeMs(ttlMs)}`, 'c']
    const record = encodeRecord(holder, fence ?? 'none')
    const reply = await sending(name, 'changes', line.client.meta('ms', key, flags, record, changing(line)))
    return reply.status === 'HD' ? { ...lease, version: casOf(reply), from, granularityMs: 0 } : undefined
  },

  release(key, version, line): Promise<boolean> {
    const request = line.client.meta('md', key, [`C${version}`], undefined, changing(line))
    return sending(key, 'changes', request, ({ status }) => status === 'HD')
  },

  raise: raiseOnLatchkey,

  async find(key, line): Promise<Found<bigint> | undefined> {
    const flags = ['v', 'c', 'p', 'w']
    const { status, value, ...reply } = await sending(
      key,
      'asks',
      line.client.meta('mg', key, flags, undefined, asking(line)),
    )
    if (status === 'EN' || value === undefined) return undefined
    const version = casOf(reply)
    const { holder, fence } = decodeRecord(value) ?? FOREIGN
    const leftMs = numberOf(reply, 'p')
    return {
      key,
      holder,
      fence: fence === 'token' ? version : fence === 'none' ? undefined : fence,
      version,
      leftMs: leftMs === undefined || leftMs < 0 ? undefined : leftMs,
      waiters: numberOf(reply, 'w'),
    }
  },
}

/**
 * Over one connection and in this order: whoever held the lock before us has raised the floor before our add could succeed, so that
 * what we then find there is not below its fence.
 */
async function claimAtOnce(claim: Claim, fence: bigint, line: Line): Promise<ClaimResult> {
  const from = line.call.clock.now()
  const adding = add(claim, 0, line, line.call.deadlineMs, ({ cas }) => cas)
  const [added, raised] = await Promise.allSettled([adding, raiseOnLatchkey(claim.key, fence, line)])
  if (added.status === 'rejected') throw added.reason
  if (added.value === undefined) return { status: 'busy', found: undefined, queued: false }
  if (raised.status === 'rejected') throw new OutcomeUnknownError(raised.reason)
  return { status: 'held', lease: { ...leaseOf(claim, added.value, from), fence }, floor: raised.value }
}

/**
 * The same where another had it a moment ago: who asks in vain, again and again, must not raise the floor each time above the fence
 * of whoever is about to have it.
 */
async function claimInSteps(claim: Claim, fence: bigint, line: Line): Promise<ClaimResult> {
  const from = line.call.clock.now()
  const adding = add(claim, 0, line, line.call.deadlineMs, ({ cas }) => cas)
  const [cas, found] = await Promise.all([adding, latchkey.find(claim.key, line).catch(() => undefined)])
  if (cas === undefined) return { status: 'busy', found, queued: false }
  const floor = await raiseOnLatchkey(claim.key, fence, line).catch((error) => {
    throw new OutcomeUnknownError(error)
  })
  return { status: 'held', lease: { ...leaseOf(claim, cas, from), fence }, floor }
}

/** For who asks several servers for one lock, and so has chosen its fence. `contended`: another had it a moment ago. */
export function claimWithFence(claim: Claim, fence: bigint, line: Line, contended: boolean): Promise<ClaimResult> {
  return contended ? claimInSteps(claim, fence, line) : claimAtOnce(claim, fence, line)
}

function added(reply: MetaReply): Added {
  const cas = reply.status === 'HD' ? casOf(reply) : undefined
  return { cas, waitedMs: numberOf(reply, 'w') ?? 0 }
}

function casOf(reply: Pick<MetaReply, 'flags'>): bigint {
  const flag = reply.flags.find((each) => each.startsWith('c'))
  if (flag === undefined) throw new OutcomeUnknownError('the server gave no token')
  return BigInt(flag.slice(1))
}

function numberOf({ flags }: Pick<MetaReply, 'flags'>, letter: string): number | undefined {
  const flag = flags.find((each) => each.startsWith(letter))
  return flag === undefined ? undefined : Number(flag.slice(1))
}
