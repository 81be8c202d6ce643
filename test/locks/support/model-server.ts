/** A lock server in one page, in virtual time: the simplest thing that is right, and that writes down what was done. */
import type { Found, Holder } from 'latchkey/locks'
import type { VirtualTime } from './virtual-time.js'

export interface Item {
  readonly key: string
  readonly holder: Holder
  readonly fence: bigint
  readonly version: bigint
  readonly endsAt: number
}

interface Waiter {
  readonly holder: Holder
  readonly ttlMs: number
  readonly give: (item: Item | undefined) => void
}

interface Register {
  readonly value: string
  readonly version: bigint
}

/** What was done, in order. `by` is who asked: the owner token. */
export interface Deed {
  readonly at: number
  readonly what: 'add' | 'extend' | 'delete' | 'end'
  readonly key: string
  readonly owner: string
  readonly fence: bigint
}

export class ModelServer {
  readonly deeds: Deed[] = []
  readonly #time: VirtualTime
  readonly #items = new Map<string, Item>()
  readonly #registers = new Map<string, Register>()
  readonly #waiters = new Map<string, Waiter[]>()
  readonly #granularityMs: number
  #token = 1000n

  /** With a granularity, leases end at a tick of the server's clock: up to so much early. */
  constructor(time: VirtualTime, granularityMs = 0) {
    this.#time = time
    this.#granularityMs = granularityMs
  }

  get granularityMs(): number {
    return this.#granularityMs
  }

  get(key: string): Item | undefined {
    return this.#items.get(key)
  }

  keys(): string[] {
    return [...this.#items.keys()]
  }

  waiters(key: string): number {
    return this.#waiters.get(key)?.length ?? 0
  }

  found(key: string): Found | undefined {
    const item = this.#items.get(key)
    if (item === undefined) return undefined
    return { ...item, leftMs: item.endsAt - this.#time.now(), waiters: this.waiters(key) }
  }

  add(key: string, holder: Holder, ttlMs: number): Item | undefined {
    if (this.#items.has(key)) return undefined
    this.#token++
    return this.#put('add', { key, holder, fence: this.#token, version: this.#token, endsAt: this.#end(ttlMs) })
  }

  /** Calls `give` with the item at once or when the turn has come, with undefined when the time is over. Returns how to leave. */
  addOrWait(
    key: string,
    holder: Holder,
    ttlMs: number,
    waitMs: number,
    give: (item: Item | undefined) => void,
  ): () => void {
    const item = this.add(key, holder, ttlMs)
    if (item !== undefined || waitMs === 0) {
      give(item)
      return () => {}
    }
    const queue = this.#waiters.get(key) ?? []
    this.#waiters.set(key, queue)
    const leave = () => {
      const at = queue.indexOf(waiter)
      if (at >= 0) queue.splice(at, 1)
      return at >= 0
    }
    const waiter: Waiter = { holder, ttlMs, give }
    queue.push(waiter)
    this.#time.timer(waitMs, () => leave() && give(undefined))
    return leave
  }

  extend(key: string, version: bigint, ttlMs: number): Item | undefined {
    const item = this.#items.get(key)
    if (item?.version !== version) return undefined
    return this.#put('extend', { ...item, version: ++this.#token, endsAt: this.#end(ttlMs) })
  }

  remove(key: string, version: bigint): boolean {
    const item = this.#items.get(key)
    if (item?.version !== version) return false
    this.#drop('delete', item)
    return true
  }

  register(key: string): Register | undefined {
    return this.#registers.get(key)
  }

  swapRegister(key: string, value: string, before: bigint | undefined): bigint | undefined {
    if (this.#registers.get(key)?.version !== before) return undefined
    this.#registers.set(key, { value, version: ++this.#token })
    return this.#token
  }

  forgetRegister(key: string): void {
    this.#registers.delete(key)
  }

  /** As `flush_all`, or a restart without a memory. */
  flush(): void {
    for (const item of this.#items.values()) this.#drop('end', item)
  }

  #end(ttlMs: number): number {
    const now = this.#time.now()
    return (this.#granularityMs === 0 ? now : Math.floor(now / this.#granularityMs) * this.#granularityMs) + ttlMs
  }

  #put(what: 'add' | 'extend', item: Item): Item {
    this.#items.set(item.key, item)
    this.#note(what, item)
    this.#time.timer(item.endsAt - this.#time.now(), () => {
      if (this.#items.get(item.key) === item) this.#drop('end', item)
    })
    return item
  }

  #drop(what: 'delete' | 'end', item: Item): void {
    this.#items.delete(item.key)
    this.#note(what, item)
    const next = this.#waiters.get(item.key)?.shift()
    if (next !== undefined) next.give(this.add(item.key, next.holder, next.ttlMs))
  }

  #note(what: Deed['what'], { key, holder, fence }: Item): void {
    this.deeds.push({ at: this.#time.now(), what, key, owner: holder.owner, fence })
  }
}
