/** The items of the classic double: a Map with expiry, flags and CAS tokens. Slow and plain on purpose. */

export interface Item {
  data: string
  flags: string
  cas: bigint
  /** Milliseconds of the epoch; Infinity never. */
  expiresAtMs: number
}

export type Outcome = 'STORED' | 'NOT_STORED' | 'EXISTS' | 'NOT_FOUND'

const relativeLimitSeconds = 2_592_000

export class ClassicStore {
  #items = new Map<string, Item>()
  #lastCas = 0n

  get(key: string): Item | undefined {
    const item = this.#items.get(key)
    if (item !== undefined && item.expiresAtMs > Date.now()) return item
    this.#items.delete(key)
    return undefined
  }

  store(command: string, key: string, given: { data: string; flags: string; exptime: number; cas: bigint }): Outcome {
    const old = this.get(key)
    const { data, flags, exptime } = given
    const item = { data, flags, cas: ++this.#lastCas, expiresAtMs: expiry(exptime) }
    if (command === 'cas' && old?.cas !== given.cas) return old === undefined ? 'NOT_FOUND' : 'EXISTS'
    if (command === 'add' && old !== undefined) return 'NOT_STORED'
    if (command !== 'add' && command !== 'set' && old === undefined) return 'NOT_STORED'
    if (command === 'append') this.#items.set(key, { ...old!, data: old!.data + data, cas: item.cas })
    else if (command === 'prepend') this.#items.set(key, { ...old!, data: data + old!.data, cas: item.cas })
    else this.#items.set(key, item)
    return 'STORED'
  }

  touch(key: string, exptime: number): Item | undefined {
    const item = this.get(key)
    if (item !== undefined) item.expiresAtMs = expiry(exptime)
    return item
  }

  /** Undefined for a miss; null when the value is no number. */
  count(command: string, key: string, delta: bigint): string | undefined | null {
    const item = this.get(key)
    if (item === undefined) return undefined
    if (!/^\d{1,20} *$/.test(item.data)) return null
    const now = BigInt(item.data.trim())
    const next = command === 'incr' ? BigInt.asUintN(64, now + delta) : now > delta ? now - delta : 0n
    item.data = `${next}`.padEnd(command === 'decr' ? item.data.length : 0)
    item.cas = ++this.#lastCas
    return `${next}`
  }

  delete(key: string): boolean {
    return this.get(key) !== undefined && this.#items.delete(key)
  }

  clear(): void {
    this.#items.clear()
  }

  get size(): number {
    return this.#items.size
  }
}

function expiry(exptime: number): number {
  if (exptime === 0) return Number.POSITIVE_INFINITY
  if (exptime < 0) return 0
  return exptime <= relativeLimitSeconds ? Date.now() + exptime * 1000 : exptime * 1000
}
