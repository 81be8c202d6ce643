/** An engine that people have already, as the laboratory has it: how its servers are started, and how locks are had on them. */
import type { LockDriver } from '../../../locks/index.js'
import type { Stranger } from '../../plan.js'
import type { Estate } from '../estate.js'
import type { EngineHome } from '../messages.js'
import type { ServerProcess } from '../server-process.js'
import type { Address } from '../wires.js'

export interface Engine {
  /** Why it cannot be had on this machine; undefined: it can. */
  missing(): string | undefined
  /** So many servers, of one cluster where the engine has such a thing. Resolves when they answer. Rejects with LaboratoryError. */
  start(count: number, estate: Estate): Promise<readonly ServerProcess[]>
  /** What a participant has. */
  connect(home: Pick<EngineHome, 'addresses' | 'freshServers' | 'maxLeaseMs'>): Promise<Connected>
  /** What somebody else can do to the record of the lock with this key; asked of one of the servers. */
  readonly strangers: Readonly<Partial<Record<Stranger, (key: string, server: Address) => Promise<void>>>>
  /** All that it has is gone, where that can be asked for. */
  flush?(server: Address): Promise<void>
  /** It has no memory for so long, and says so. */
  full?(server: Address, ms: number): Promise<void>
}

export interface Connected {
  readonly driver: LockDriver
  /** After the driver. */
  close(): Promise<void>
}
