/** What servers say to a holder, and what is done to one server's vote. */
import type { Call, ClaimResult, Lease, LockDriver } from '../../driver.js'
import { LockArgumentError, LockUnavailableError, OutcomeUnknownError } from '../../errors.js'
import type { Answer, Ballot } from './ballot.js'
import { NOTHING, type Votes } from './version.js'

/** What one server has granted. */
export interface Vote {
  /** The server's number. */
  readonly at: number
  readonly lease: Lease
  /** The greatest fence that it had been told of before. */
  readonly floor: bigint
}

type Known = Votes['versions'][number]

type Granted = { readonly kind: 'given'; readonly value: Extract<ClaimResult, { status: 'held' }> }

export function isGranted(answer: Answer<ClaimResult>): answer is Granted {
  return answer.kind === 'given' && answer.value.status === 'held'
}

export function isThere(answer: Answer<unknown>): boolean {
  return answer.kind === 'given' && answer.value !== undefined
}

export function isGone(answer: Answer<unknown>): boolean {
  return answer.kind === 'given' && answer.value === undefined
}

export function isTrue(answer: Answer<boolean>): boolean {
  return answer.kind === 'given' && answer.value
}

export function votesIn(ballot: Ballot<ClaimResult>): Vote[] {
  return ballot
    .given()
    .flatMap(({ at, value }) => (value.status === 'held' ? [{ at, lease: value.lease, floor: value.floor ?? 0n }] : []))
}

/** What became of a claim is known: it was answered, or refused. */
export function isCertain(answer: Answer<ClaimResult>): boolean {
  return answer.kind === 'given' || !mayBeLeft(answer)
}

/** A server that refused has done nothing; any other failure, an abort too, may have been carried out. */
export function mayBeLeft(answer: Answer<ClaimResult>): boolean {
  if (answer.kind === 'failed') {
    return !(answer.error instanceof LockUnavailableError || answer.error instanceof LockArgumentError)
  }
  return isGranted(answer)
}

/** The server has answered, or could not be reached: nothing of the claim is there, and nothing will be. */
export function hasNothing(answer: Answer<ClaimResult>): boolean {
  return answer.kind !== 'none' && !mayBeLeft(answer)
}

/** Where the version is not known it is looked up, by the owner. */
export async function extendOn(
  member: LockDriver,
  lease: Lease,
  version: Known,
  ttlMs: number,
  call: Call,
): Promise<Lease | undefined> {
  if (version !== undefined && version !== NOTHING) return member.extend({ ...lease, version }, ttlMs, call)
  const found = await member.find(lease.key, call)
  if (found?.holder.owner !== lease.holder.owner) return undefined
  return member.extend({ ...lease, version: found.version }, ttlMs, call)
}

export async function releaseOn(
  member: LockDriver,
  key: string,
  owner: string,
  version: Known,
  coming: Promise<boolean> | undefined,
  call: Call,
): Promise<boolean> {
  // Asking a server that is away would go on behind everybody's back for as long as it is.
  if (version === NOTHING) return false
  if (version !== undefined) return member.release(key, version, call)
  const isCertain = await coming
  const found = await member.find(key, call)
  if (found?.holder.owner === owner) {
    if (await member.release(key, found.version, call)) return true
    // An extension that was delayed has come in between: it is looked for again.
    throw new OutcomeUnknownError('its version has just changed')
  }
  // That it is not there is not yet the end: the request that was delayed may still arrive.
  if (isCertain === false) throw new OutcomeUnknownError('its vote may still come')
  return false
}
