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
export type { Barrier, BarrierOptions, BarrierWaitOptions } from './primitives/barrier.js'
export type { Candidate } from './primitives/candidate.js'
export type { Countdown, CountdownOptions } from './primitives/countdown.js'
export type { CampaignOptions, ElectOptions, ObserveOptions } from './primitives/election-options.js'
export type { Schedule } from './primitives/every.js'
export type { Leader, Leadership } from './primitives/leadership.js'
export type { Job, OnceResult } from './primitives/once.js'
export type { EveryOptions, OnceOptions } from './primitives/once-options.js'
export type { WaitOptions } from './primitives/patience.js'
export type { PermitsInfo } from './primitives/permits/turnstile.js'
export type { ReadWriteLock, ReadWriteOptions } from './primitives/read-write-lock.js'
export type { RunOutcome, RunRecord } from './primitives/run-record.js'
export type { PermitOptions, PermitsOptions, Semaphore, SemaphoreOptions } from './primitives/semaphore.js'
export type { BodyWith } from './primitives/using.js'
export type { WriteLock } from './primitives/write-lock.js'
export type * from './types.js'
