/** memcached in one page, in virtual time: what the recipes use of it, with a clock that ticks once a second. */
import type { Deed } from 'latchkey/torture'
import type { VirtualTime } from '../../locks/support/virtual-time.js'

interface Item {
  readonly value: string
  readonly cas: bigint
  /** A tick; Infinity: for ever. */
  readonly endsAt: number
}

export class TickServer {
  readonly #time: VirtualTime
  readonly #phaseMs: number
  readonly #items = new Map<string, Item>()
  readonly #note: (deed: Deed) => void
  #cas = 0n

  constructor(time: VirtualTime, phaseMs: number, note: (deed: Deed) => void) {
    this.#time = time
    this.#phaseMs = phaseMs
    this.#note = note
  }

  get(key: string): Item | undefined {
    const item = this.#items.get(key)
    if (item === undefined || item.endsAt > this.#time.now()) return item
    this.#items.delete(key)
    this.#note({ at: item.endsAt, what: 'expire', key, before: item.value })
    return undefined
  }

  set(key: string, value: string, ttlS: number, by: number): boolean {
    const before = this.get(key)?.value
    const endsAt = ttlS === 0 ? Number.POSITIVE_INFINITY : this.#tick() + ttlS * 1000
    this.#items.set(key, { value, cas: ++this.#cas, endsAt })
    this.#note({ at: this.#time.now(), what: before === undefined ? 'add' : 'change', key, by, before, after: value })
    return true
  }

  add(key: string, value: string, ttlS: number, by: number): boolean {
    return this.get(key) === undefined && this.set(key, value, ttlS, by)
  }

  swap(key: string, value: string, cas: bigint, ttlS: number, by: number): boolean {
    return this.get(key)?.cas === cas && this.set(key, value, ttlS, by)
  }

  delete(key: string, by: number): boolean {
    const before = this.get(key)?.value
    if (before === undefined) return false
    this.#items.delete(key)
    this.#note({ at: this.#time.now(), what: 'delete', key, by, before })
    return true
  }

  /** As an eviction, a flush or a restart. */
  forget(what: 'evict' | 'flush' | 'forget'): void {
    for (const key of [...this.#items.keys()]) {
      const before = this.get(key)?.value
      if (before !== undefined && this.#items.delete(key)) this.#note({ at: this.#time.now(), what, key, before })
    }
  }

  /** Its clock knows no more than the last tick. */
  #tick(): number {
    return Math.floor((this.#time.now() - this.#phaseMs) / 1000) * 1000 + this.#phaseMs
  }
}
