/** `latchkey/locks`: lease locks, on the embedded store and on memcached servers. */
export { type FencedUpdate, fencedUpdate, type Queryable, StaleFenceError } from '../fencing/index.js'
export { LeaseClock, type TimeSources } from './clock.js'
export type { ExtensionEvent, LockChannels, LockEvent } from './diagnostics.js'
export type {
  Call,
  Claim,
  ClaimResult,
  Clock,
  Facts,
  Found,
  Holder,
  Lease,
  LockDriver,
  Registered,
  Registers,
  Version,
} from './driver.js'
export * from './drivers/index.js'
export { type Environment, systemEnvironment } from './environment.js'
export * from './errors.js'
export type { Explanation, Fault, Verdict } from './explain.js'
export type { Lock } from './lock.js'
export type { LockGroup } from './lock-group.js'
export { type Body, createLocks, type Locks, type RestoreOptions } from './locks.js'
export type { ReleaseCondition } from './looking.js'
export type { Candidate } from './primitives/elections/candidate.js'
export type { CampaignOptions, ElectOptions, ObserveOptions } from './primitives/elections/election-options.js'
export type { Leader, Leadership } from './primitives/elections/leadership.js'
export type { Schedule } from './primitives/jobs/every.js'
export type { Job, OnceResult } from './primitives/jobs/once.js'
export type { EveryOptions, OnceOptions } from './primitives/jobs/once-options.js'
export type { RunOutcome, RunRecord } from './primitives/jobs/run-record.js'
export type { Barrier, BarrierOptions, BarrierWaitOptions } from './primitives/meeting/barrier.js'
export type { Countdown, CountdownOptions } from './primitives/meeting/countdown.js'
export type { WaitOptions } from './primitives/meeting/patience.js'
export type { ReadWriteLock, ReadWriteOptions } from './primitives/permits/read-write-lock.js'
export type { PermitOptions, PermitsOptions, Semaphore, SemaphoreOptions } from './primitives/permits/semaphore.js'
export type { PermitsInfo } from './primitives/permits/turnstile.js'
export type { WriteLock } from './primitives/permits/write-lock.js'
export type * from './types.js'
export type { BodyWith } from './using.js'
