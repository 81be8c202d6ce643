/**
 * Thrown when a resource refuses a write because somebody with a greater fence has written before: this holder's lease was
 * over, whatever it believed, and another has acted since. Nothing was written, and trying again does not help.
 */
export class StaleFenceError extends Error {
  readonly code = 'STALE_FENCE'
  /** The fence that came too late. */
  readonly fence: bigint
  /** The fence that the resource had seen; undefined where it does not tell. */
  readonly newer: bigint | undefined

  constructor(resource: string, fence: bigint, newer?: bigint) {
    super(
      `${resource}: fence ${fence} is too old, ${newer === undefined ? 'a newer one' : `fence ${newer}`} has written`,
    )
    this.name = 'StaleFenceError'
    this.fence = fence
    this.newer = newer
  }
}
