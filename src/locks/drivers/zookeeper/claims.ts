/** Taking a lock, at once or when its turn has come. */
import type { Call, Claim, ClaimResult, Lease } from '../../driver.js'
import { OutcomeUnknownError } from '../../errors.js'
import { versionOf } from '../entry-version.js'
import { encodeRecord } from '../record.js'
import type { Ensemble } from './ensemble.js'
import { NO_NODE } from './errors.js'
import type { HeldLocks } from './held.js'
import type { Leases } from './leases.js'
import type { Nodes } from './nodes.js'
import { nodeOf } from './places.js'
import { type Created, create } from './requests.js'
import type { Session } from './session.js'
import { predecessor, type Queue, waitTurn } from './turn.js'

/** Each has a connection; a server takes 60 from one address unless it is told otherwise. More of one driver ask again and again. */
const MOST_WAITERS = 32

export class Claims {
  readonly #ensemble: Ensemble
  readonly #nodes: Nodes
  readonly #leases: Leases
  readonly #locks: HeldLocks
  readonly #root: string
  #waiters = 0

  constructor(ensemble: Ensemble, nodes: Nodes, leases: Leases, locks: HeldLocks, root: string) {
    this.#ensemble = ensemble
    this.#nodes = nodes
    this.#leases = leases
    this.#locks = locks
    this.#root = root
  }

  async claim(claim: Claim, call: Call): Promise<ClaimResult> {
    const { key, name, ttlMs } = claim
    call.signal?.throwIfAborted()
    const waits = claim.waitMs >= 1 && this.#waiters < MOST_WAITERS
    const found = waits ? undefined : await this.#nodes.find(key, call)
    if (found !== undefined) return { status: 'busy', found, queued: false }
    const from = call.clock.now()
    const session = await this.#leases.begin(ttlMs, name, call)
    const { path, stat } = await this.#enter(session, claim, call)
    const node = nodeOf(this.#root, key)
    const queue = { ensemble: this.#ensemble, session, name, node, place: path.slice(node.length + 1) }
    const lease = leaseOf(claim, queue.place, stat.czxid, from)
    if (waits) return await this.#wait(claim, queue, lease, call)
    if ((await predecessor(queue, call)) === undefined) return this.#held(lease, session)
    await this.#leases.leave(session, 'another was before it', call)
    return { status: 'busy', found: undefined, queued: false }
  }

  async #wait(claim: Claim, queue: Queue, lease: Lease, call: Call): Promise<ClaimResult> {
    const { session } = queue
    session.keepAlive()
    this.#waiters++
    try {
      if (await waitTurn(queue, call.clock.now() + claim.waitMs, call)) {
        const extension = await this.#locks.extend(lease, claim.ttlMs, call)
        if (extension === undefined) throw new OutcomeUnknownError(new Error('its place in the queue was lost'))
        this.#ensemble.end(session, call)
        return { status: 'held', lease: extension }
      }
    } catch (error) {
      // What may be there by then is not of this session.
      if (error instanceof OutcomeUnknownError) this.#ensemble.end(session, call)
      else await this.#leases.leave(session, error, call)
      throw error
    } finally {
      this.#waiters--
    }
    await this.#leases.leave(session, 'the wait is over', call)
    const found = await this.#nodes.find(claim.key, { ...call, signal: undefined }).catch(() => undefined)
    return { status: 'busy', found, queued: true }
  }

  /** A place at the end of the queue. */
  async #enter(session: Session, { key, name, holder, guarantee }: Claim, call: Call): Promise<Created> {
    const record = encodeRecord(holder, guarantee === 'fenced' ? 'token' : 'none')
    const place = this.#nodes.place(`${nodeOf(this.#root, key)}/${holder.owner}-`, record, 'numbered')
    for (;;) {
      const created = await this.#leases.change(session, name, call, () => create(session, place, call.deadlineMs), [
        NO_NODE,
      ])
      if (created !== undefined) return created
      await this.#nodes.make(key, call)
    }
  }

  #held(lease: Lease, session: Session): ClaimResult {
    this.#leases.keep(String(lease.version), session)
    return { status: 'held', lease }
  }
}

function leaseOf({ key, name, holder, guarantee }: Claim, place: string, czxid: bigint, from: number): Lease {
  const fence = guarantee === 'fenced' ? czxid : undefined
  return { key, name, holder, guarantee, fence, version: versionOf(place, 0n), from, granularityMs: 0 }
}
