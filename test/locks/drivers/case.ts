/** One case of the driver suite: what is true of every driver, or why it is not tried on this one. */
import { randomBytes } from 'node:crypto'
import type { Claim, ClaimResult, LockDriver, Version } from 'latchkey/locks'
import type { Bench, DriverKind } from './kinds.js'

export interface CaseContext {
  readonly kind: DriverKind
  readonly bench: Bench
  /** One more driver of the same servers, closed after the case. */
  create(): LockDriver
  /** Of a lock of this case's own. */
  key(name: string): string
  /** With a fresh owner, for a lease that no case outlasts, without waiting. */
  claim(name: string, changes?: Partial<Claim>): Claim
}

export interface Case {
  readonly name: string
  /** Why it is not tried on this kind. */
  readonly skip?: (kind: DriverKind) => string | false
  /** Disturbs others: runs alone, after them. */
  readonly alone?: boolean
  readonly run: (context: CaseContext) => Promise<void>
}

export const clock = performance

/** A lease that no case outlasts. */
export const LONG_MS = 50_000

/** Generous: nothing here is about time. */
export const call = { clock, deadlineMs: 20_000 }

export function claimOf(key: string, changes: Partial<Claim> = {}): Claim {
  const holder = {
    owner: randomBytes(16).toString('hex'),
    host: 'here',
    pid: 7,
    label: 'a test',
    since: 1_700_000_000_000,
  }
  return { key, name: key, holder, ttlMs: LONG_MS, waitMs: 0, guarantee: 'fenced', ...changes }
}

export function held(result: ClaimResult) {
  if (result.status === 'held') return result.lease
  throw new Error(
    `busy: ${JSON.stringify(result.found, (_, value) => (typeof value === 'bigint' ? `${value}` : value))}`,
  )
}

/** A quorum knows the versions of a majority, and the next time perhaps those of another. */
export function sameVersion(one: Version, other: Version): boolean {
  const [ones, others] = [String(one).split(' '), String(other).split(' ')]
  return (
    ones.length === others.length && ones.every((word, at) => [word, others[at]].includes('-') || word === others[at])
  )
}

/** The owner, as far as there is one. */
export async function ownerOf(driver: LockDriver, key: string): Promise<string | undefined> {
  return (await driver.find(key, call))?.holder.owner
}

export async function collect<T>(list: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const found of list) all.push(found)
  return all
}
