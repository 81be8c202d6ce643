/** Locks that are there: extended and released. */
import type { Call, Lease, Version } from '../../driver.js'
import { readVersion, versionOf } from '../entry-version.js'
import { encodeRecord } from '../record.js'
import type { Ensemble } from './ensemble.js'
import { BAD_VERSION, NO_NODE } from './errors.js'
import type { Leases } from './leases.js'
import type { Nodes } from './nodes.js'
import { extended, nodeOf, placeOf } from './places.js'
import { operations, transact } from './requests.js'

export class HeldLocks {
  readonly #ensemble: Ensemble
  readonly #nodes: Nodes
  readonly #leases: Leases
  readonly #root: string

  constructor(ensemble: Ensemble, nodes: Nodes, leases: Leases, root: string) {
    this.#ensemble = ensemble
    this.#nodes = nodes
    this.#leases = leases
    this.#root = root
  }

  async extend(lease: Lease, ttlMs: number, call: Call): Promise<Lease | undefined> {
    const { key, name, holder, fence, version } = lease
    call.signal?.throwIfAborted()
    const old = readVersion(version)
    const place = placeOf(old.entry)
    if (place === undefined) return undefined
    const from = call.clock.now()
    const session = await this.#leases.begin(ttlMs, name, call)
    const node = nodeOf(this.#root, key)
    const before = operations.remove(`${node}/${old.entry}`, Number(old.revision))
    const next = this.#nodes.place(`${node}/${extended(place)}`, encodeRecord(holder, fence ?? 'none'), 'ephemeral')
    const replacing = () => transact(session, [before, operations.create(next)], call.deadlineMs).then(() => true)
    if (!(await this.#leases.change(session, name, call, replacing, [NO_NODE, BAD_VERSION]))) {
      this.#ensemble.end(session, call)
      return undefined
    }
    this.#leases.end(String(version), call)
    const after = versionOf(extended(place), 0n)
    this.#leases.keep(after, session)
    return { ...lease, version: after, from, granularityMs: 0 }
  }

  async release(key: string, version: Version, call: Call): Promise<boolean> {
    call.signal?.throwIfAborted()
    const { entry, revision } = readVersion(version)
    const path = `${nodeOf(this.#root, key)}/${entry}`
    const isGone = await this.#nodes.remove(path, Number(revision), key, call)
    if (isGone) this.#leases.end(String(version), call)
    return isGone
  }
}
