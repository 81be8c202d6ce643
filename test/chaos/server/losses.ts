/** Whether every item that is gone was evicted, by what the server tells of evictions one by one, and by what it counts. */
import type { EvictionWatch } from './eviction-watch.js'
import type { Vanished } from './group.js'

/** A thread that dies takes with it what it had not told yet; and those it was telling hear nothing until they ask another. */
const DEAF_MS = 1500

export interface Losses {
  all: number
  /** Those whose eviction was told. */
  told: number
  faults: string[]
}

export function accountFor(
  vanished: readonly Vanished[],
  watch: EvictionWatch,
  { deathsMs, stats }: { deathsMs: readonly number[]; stats: Record<string, number> },
): Losses {
  const losses: Losses = { all: 0, told: 0, faults: [] }
  const deafMs = [...deathsMs, ...watch.skippedMs]
  for (const { key, times, fromMs, toMs } of vanished) {
    const told = Math.min(times, watch.byKey.get(key) ?? 0)
    losses.all += times
    losses.told += told
    const isDeaf = deafMs.some((ms) => ms > fromMs - DEAF_MS && ms < toMs + DEAF_MS)
    if (told < times && !isDeaf) losses.faults.push(`${key} is gone ${times} times, and was evicted ${told} times`)
  }
  const untold = stats.evictions! - watch.heard + stats.repair_dropped!
  if (losses.all - losses.told > untold)
    losses.faults.push(`${losses.all - losses.told} items are gone untold, of ${untold} that the server counts`)
  return losses
}
