/** The options of a store, checked, with their defaults. */
import { StoreArgumentError } from './errors.js'
import { VALUE_MAX } from './layout.js'

export interface StoreOptions {
  /** Bytes for items and index, or text such as '64mb' or '1gb'. Default 64 MiB; 1 MiB to just under 16 GiB. */
  memory?: number | string
  /** Most bytes of an item, header and key included; number or text. Default 1 MiB, at most 1 GiB and half the memory. */
  itemMax?: number | string
  /** Threads that will use the store: it gets 16 stripes for each. Default 4. */
  threads?: number
  /** Keys that begin so are never evicted. Default `latchkey:lock:`. */
  pinnedPrefixes?: readonly string[]
  /** Share of the memory that pinned items may take before new ones are refused. Default 0.25. */
  pinnedShare?: number
  /** Whether items may be evicted when memory is full; otherwise writes are refused. Default true. */
  evict?: boolean
}

export type ResolvedOptions = Required<Omit<StoreOptions, 'memory' | 'itemMax'>> & { memory: number; itemMax: number }

const UNITS: Record<string, number> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  kb: 2 ** 10,
  m: 2 ** 20,
  mb: 2 ** 20,
  g: 2 ** 30,
  gb: 2 ** 30,
}
const ITEM_MIN = 1024
const THREADS_MAX = 256

/** Bytes from a number, or from text: digits and, optionally, k, m or g (binary), with or without a `b`. */
export function parseSize(size: number | string, name: string): number {
  if (typeof size === 'number') return size
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(size.trim()) ?? []
  const factor = UNITS[unit?.toLowerCase() ?? 'none']
  if (digits === undefined || factor === undefined)
    throw new StoreArgumentError(`${name}: '${size}' is not a size; write bytes, or a number with k, m or g`)
  return Math.floor(Number(digits) * factor)
}

/** @throws StoreArgumentError naming the option that is wrong. */
export function resolveOptions(options: StoreOptions): ResolvedOptions {
  const memory = parseSize(options.memory ?? '64mb', 'memory')
  const itemMax = parseSize(options.itemMax ?? Math.min(2 ** 20, Math.floor(memory / 2)), 'itemMax')
  const threads = options.threads ?? 4
  const pinnedShare = options.pinnedShare ?? 0.25
  if (!(itemMax >= ITEM_MIN && itemMax <= Math.min(VALUE_MAX + 1, memory / 2)))
    throw new StoreArgumentError(`itemMax must be 1 KiB to 1 GiB and at most half the memory, not ${itemMax} bytes`)
  if (!Number.isInteger(threads) || threads < 1 || threads > THREADS_MAX)
    throw new StoreArgumentError(`threads must be 1 to ${THREADS_MAX}, not ${threads}`)
  if (!(pinnedShare >= 0 && pinnedShare <= 0.9))
    throw new StoreArgumentError(`pinnedShare must be 0 to 0.9, not ${pinnedShare}`)
  return {
    memory,
    itemMax,
    threads,
    pinnedShare,
    pinnedPrefixes: options.pinnedPrefixes ?? ['latchkey:lock:'],
    evict: options.evict ?? true,
  }
}
