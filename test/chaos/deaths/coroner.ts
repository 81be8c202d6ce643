/** What a thread held when it died: seen before anybody repairs it, and looked at again afterwards. */
import type { StoreHandle } from 'latchkey/store'
import { Global, Stripe } from '#dist/store/layout.js'
import { isHeldBy, ownerWord } from '#dist/store/lock.js'
import { Memory } from '#dist/store/memory.js'
import { slotsOf } from '#dist/store/threads.js'

export interface Finding {
  stripes: number
  pool: boolean
}

export class Coroner {
  readonly #memory: Memory

  constructor(handle: StoreHandle) {
    this.#memory = new Memory(handle.memory)
  }

  /** The locks that name the thread. */
  examine(threadId: number): Finding {
    const { control, stripes } = this.#memory
    const finding: Finding = { stripes: 0, pool: false }
    for (const slot of slotsOf(this.#memory, threadId)) {
      const owner = ownerWord(slot)
      const held = (at: number) => isHeldBy(Atomics.load(control, at), owner)
      finding.pool ||= held(Global.PoolLock)
      for (let stripe = 0; stripe < stripes; stripe++)
        if (held(this.#memory.stripeAt(stripe) + Stripe.Lock)) finding.stripes++
    }
    return finding
  }

  /** True when the thread is no longer known: a slot is freed last of all. */
  isBuried(threadId: number): boolean {
    return slotsOf(this.#memory, threadId).length === 0
  }
}
