/** Finds, in a walk over all items, for how long the last of the leases on pinned keys lasts. */
import { Bytes } from './bytes.js'
import type { Key } from './key.js'
import { KEY_MAX } from './layout.js'
import type { PinnedPrefixes } from './pinned.js'
import type { ItemReader, ItemView } from './types.js'

export class LatestLease implements ItemReader {
  /** Milliseconds from the walk on; 0 when there is none. */
  leftMs = 0
  readonly #key: Key
  readonly #pinned: PinnedPrefixes
  readonly #bytes = Bytes.allocate(KEY_MAX)

  constructor(key: Key, pinned: PinnedPrefixes) {
    this.#key = key
    this.#pinned = pinned
  }

  item(view: ItemView): void {
    // What has no end is no lease.
    if (view.ttlMs <= this.leftMs) return
    view.copyKey(this.#bytes, 0)
    this.#key.setBytes(this.#bytes, 0, view.keyLength)
    if (this.#pinned.isLock(this.#key)) this.leftMs = view.ttlMs
  }
}
