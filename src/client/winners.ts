/** What is known of others' computations: since when a key has been in the hands of the same winner. */
import { performance } from 'node:perf_hooks'

/** More keys than this are hardly waited for at once; the oldest is forgotten, which costs waiting. */
const KEPT = 10_000

export class Winners {
  readonly #seen = new Map<string, { token: string; since: number }>()

  /** Whether this winner, known by the token it got, has been at it for longer than the lease. Notes those that are new. */
  isOverdue(id: string, token: string, leaseMs: number): boolean {
    const now = performance.now()
    const seen = this.#seen.get(id)
    if (seen?.token === token) return now - seen.since > leaseMs
    this.forget(id)
    this.#seen.set(id, { token, since: now })
    if (this.#seen.size > KEPT) this.forget(this.#seen.keys().next().value!)
    return false
  }

  forget(id: string): void {
    this.#seen.delete(id)
  }
}
