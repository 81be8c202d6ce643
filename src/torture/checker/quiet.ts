import type { FaultName } from '../faults.js'

/** Nothing strikes: everybody is alive, every request is answered, and servers forget nothing. */
export const quiet: ReadonlySet<FaultName> = new Set(['none', 'overrun'])
