/**
 * Runs all of them once a repeat, and begins every repeat with another: what drifts drifts for all. What each gave comes
 * back in the order of the repeats, the n-th list being that of the n-th of `all`.
 */
export async function inTurns<T, R>(all: readonly T[], repeats: number, run: (one: T) => Promise<R>): Promise<R[][]> {
  const given: R[][] = all.map(() => [])
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (let turn = 0; turn < all.length; turn++) {
      const at = (repeat + turn) % all.length
      given[at].push(await run(all[at]))
    }
  }
  return given
}
