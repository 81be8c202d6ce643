/** What a writer holds. */
import type { Lock } from '../../lock.js'
import { LockGroup } from '../../lock-group.js'

/**
 * Made by `write` of a read-write lock: the gate, and the slot of every reader. It is lost when any of them is.
 *
 * Why its fences rise in the order of writing: the fence is the gate's, and fences of one lock rise. Whoever has a greater one was given
 * the gate later, which was after the end of our lease of it; and we do not begin before the gate has been seen to be still ours after
 * the last reader's slot, nor write on when it is lost. So of two writers the one with the smaller fence has written, as
 * long as it kept to its lease, before the other could begin. One that did not is refused by a resource that compares fences.
 */
export class WriteLock extends LockGroup {
  /** That of the read-write lock. */
  readonly name: string
  readonly #gate: Lock

  /** @internal */
  constructor(name: string, [gate, ...slots]: readonly Lock[]) {
    super([gate, ...slots])
    this.name = name
    this.#gate = gate
  }

  /** Greater than the fence of every earlier writer. Throws LockArgumentError where the guarantee is not `fenced`. */
  get fence(): bigint {
    return this.#gate.fence
  }

  /** There is one, under the name of the read-write lock. */
  override get fences(): ReadonlyMap<string, bigint> {
    return new Map([[this.name, this.fence]])
  }
}
