/** How locks are kept on one kind of server. All of a dialect's requests go to the session that it is given. */
import type { Client, Session } from '../../../client/index.js'
import type { Call, Claim, ClaimResult, Found, Lease } from '../../driver.js'

type Used =
  | 'session'
  | 'currentSession'
  | 'serverOf'
  | 'meta'
  | 'stats'
  | 'add'
  | 'cas'
  | 'gets'
  | 'delete'
  | 'incr'
  | 'keys'
  | 'hangUp'
  | 'close'

/** What is used of a client: values are bytes, keys are whole. */
export interface Wire extends Pick<Client<Buffer>, Used> {
  /** As this one, on connections of its own. */
  duplicate(): Wire
}

/** Where a request goes, and how it is made. */
export interface Line {
  readonly client: Wire
  readonly session: Session
  readonly call: Call
}

export interface Dialect {
  /** Without waiting. */
  claim(claim: Claim, line: Line): Promise<ClaimResult>
  extend(lease: Lease<bigint>, ttlMs: number, line: Line): Promise<Lease | undefined>
  release(key: string, version: bigint, line: Line): Promise<boolean>
  raise(key: string, fence: bigint, line: Line): Promise<bigint>
  find(key: string, line: Line): Promise<Found<bigint> | undefined>
}

export function speaksLatchkey({ latchkey, meta }: Session): boolean {
  return latchkey && meta
}

/** For a request that changes nothing: it may be left. */
export function asking({ session, call: { deadlineMs, signal } }: Line) {
  return signal === undefined ? { session, deadlineMs } : { session, deadlineMs, signal }
}

/** For a request that changes something: an abort must not hide what became of it, and its deadline is near. */
export function changing({ session, call: { deadlineMs } }: Line) {
  return { session, deadlineMs }
}
