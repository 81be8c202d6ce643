/** The guarded set: a step takes some milliseconds, and happens at its end. */
import { StaleFenceError } from 'latchkey/locks'
import type { Resource, Transaction } from 'latchkey/torture'

export class SharedSet {
  ids: readonly string[] = []
  #fence = 0n

  /** Throws StaleFenceError. */
  check(fence: bigint | undefined): void {
    if (fence === undefined) return
    if (fence < this.#fence) throw new StaleFenceError('the set', fence, this.#fence)
    this.#fence = fence
  }
}

export class MiniatureResource implements Resource {
  readonly #set: SharedSet
  readonly #step: () => Promise<void>

  constructor(set: SharedSet, step: () => Promise<void>) {
    this.#set = set
    this.#step = step
  }

  async read(fence?: bigint): Promise<readonly string[]> {
    await this.#step()
    this.#set.check(fence)
    return this.#set.ids
  }

  async write(ids: readonly string[], fence?: bigint): Promise<void> {
    await this.#step()
    this.#set.check(fence)
    this.#set.ids = ids
  }

  begin(): Transaction {
    let written: readonly string[] | undefined
    return {
      read: async () => written ?? (await this.read()),
      write: async (ids) => {
        await this.#step()
        written = ids
      },
      commit: () => (written === undefined ? this.#step() : this.write(written)),
    }
  }
}
