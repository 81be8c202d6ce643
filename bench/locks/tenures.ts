/** What is learned from who held one lock when. Moments are milliseconds of the machine's monotonic clock, the same for all processes. */

export interface Tenure {
  /** Who: a number that is one waiter's in all processes. */
  waiter: number
  /** Just before `acquire` was called. */
  askedAt: number
  /** When `acquire` had returned. */
  heldAt: number
  /** Just before the release was called. */
  freedAt: number
}

/** Requests that were made so close to one another may arrive either way round. */
export const simultaneousMs = 1

/**
 * Tenures of all processes in the order in which the lock was held.
 * @throws Error when two had it at once, which no figure could make good.
 */
export function inOrder(name: string, lists: readonly (readonly Tenure[])[]): Tenure[] {
  const tenures = lists.flat().sort((one, other) => one.heldAt - other.heldAt)
  for (const [one, next] of pairs(tenures)) {
    if (next.heldAt < one.freedAt) throw new Error(`${name}: waiters ${one.waiter} and ${next.waiter} held it at once`)
  }
  return tenures
}

/** From the call that releases until the next waiter's `acquire` has returned. Whoever takes it twice running hands nothing over. */
export function handOversMs(ordered: readonly Tenure[]): number[] {
  return pairs(ordered)
    .filter(([one, next]) => one.waiter !== next.waiter)
    .map(([one, next]) => next.heldAt - one.freedAt)
}

/** For each tenure, how many got the lock sooner who had asked later. */
export function overtakings(ordered: readonly Tenure[]): number[] {
  return ordered.map((one, at) => {
    let count = 0
    for (let sooner = at - 1; sooner >= 0 && ordered[sooner].heldAt > one.askedAt; sooner--) {
      if (isLater(ordered[sooner], one)) count++
    }
    return count
  })
}

/** Of those who got it after the first, how many overtook nobody: they had waited longest. */
export function keptOrder(ordered: readonly Tenure[]): number {
  return ordered.filter((one, at) => at > 0 && !ordered.slice(at + 1).some((after) => isLater(one, after))).length
}

/** How often each waiter had it, the unlucky first; who never did is counted too. */
export function shares(tenures: readonly Tenure[], waiters: number): number[] {
  const counts = new Array<number>(waiters).fill(0)
  for (const { waiter } of tenures) counts[waiter]++
  return counts.sort((one, other) => one - other)
}

function isLater(one: Tenure, other: Tenure): boolean {
  return one.askedAt > other.askedAt + simultaneousMs
}

function pairs(tenures: readonly Tenure[]): [Tenure, Tenure][] {
  return tenures.slice(1).map((next, at) => [tenures[at], next])
}

/** Now, on the clock that all processes of a machine share. */
export function sharedNow(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}
