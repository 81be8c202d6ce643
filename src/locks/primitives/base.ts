/** What the primitives are built on: the locks that they are methods of. */
import type { Registers } from '../driver.js'
import { LockArgumentError } from '../errors.js'
import type { Lock } from '../lock.js'
import type { Wanted } from '../settings.js'
import type { Site } from '../site.js'
import type { AcquireOptions } from '../types.js'

export interface Base {
  readonly site: Site
  /** What a lock is like for whoever says nothing. */
  readonly defaults: Wanted
  /** Aborts when these locks are closed. */
  readonly closing: AbortSignal
  acquire(name: string, options: AcquireOptions): Promise<Lock>
}

/** Throws LockArgumentError where the driver has none. `what` is for the message. */
export function registersOf({ driver }: Pick<Site, 'driver'>, what: string, name: string): Registers {
  if (driver.registers !== undefined) return driver.registers
  const why = 'it keeps locks and remembers nothing beyond them (a majority that votes on locks cannot)'
  throw new LockArgumentError(`${what} needs a register, and the driver ${driver.kind} has none: ${why}`, name)
}
