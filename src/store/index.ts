/** `latchkey/store`: a thread-safe cache in shared memory. `Store` for programs, `Table` for servers. */
export type { Bindings } from './bindings.js'
export { Bytes } from './bytes.js'
export { casEpochAt } from './cas-epoch.js'
export type { Claimed, ClaimOptions } from './claims.js'
export { type Clock, monotonicClock } from './clock.js'
export { COMMAND_NAMES, type CounterName } from './counters.js'
export {
  NotANumberError,
  StoreArgumentError,
  StoreClosedError,
  StoreError,
  StoreFenceError,
  StoreGraceError,
  StoreLeaseError,
  StoreLockTimeoutError,
  StoreMemoryError,
  StoreStateError,
  StoreThreadsError,
  TooManyWaitersError,
  ValueTooLargeError,
  ValueTooLongToWaitError,
} from './errors.js'
export type { LeaseKeeper } from './horizon.js'
export { StoreImageError } from './image/header.js'
export { StoreImage } from './image/read.js'
export { type ImageSize, type OnImageProgress, syncDirectory } from './image/write.js'
export { sizeClassOf } from './items.js'
export type { Key } from './key.js'
export { parseSize, type StoreOptions } from './options.js'
export type { SizeClass, StripeStats, TableStats } from './stats.js'
export { type Entry, type PinnedEntry, type SetOptions, Store } from './store.js'
export { type Inherited, type RestoreTerms, type StoreHandle, Table } from './table.js'
export * from './types.js'
export { WAITING_VALUE_MAX } from './waiter-layout.js'
export type { Wait, WaitEnd } from './waits.js'
