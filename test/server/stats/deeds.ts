/** What clients do, and what of it `stats` counts: at memcached the same, unless it says what and why. */

export interface Deed {
  /** `{cas}` is the token of `k`. */
  readonly lines: string
  /** What moves, by how much; nothing else does. */
  readonly counts: Counts
  /** What memcached 1.6.18 counts instead. */
  readonly memcached?: Counts
  readonly why?: string
}

export type Counts = Readonly<Record<string, number>>

const value = (bytes: number) => 'x'.repeat(bytes)
const stored = { cmd_set: 1, total_items: 1 }
/** Here an item is dropped as soon as somebody notices that it has ended. */
const dropped = { reclaimed: 1, expired_unfetched: 1 }
/** There when its memory is needed, so that these two move at any time. */
export const movesAtAnyTime = Object.keys(dropped)

export const deeds: readonly Deed[] = [
  { lines: `set k 0 0 1\r\nx`, counts: stored },
  { lines: `set k 0 0 2 noreply\r\nxx`, counts: stored },
  { lines: `add k 0 0 1\r\nx`, counts: { cmd_set: 1 } },
  { lines: `add new 0 0 1\r\nx`, counts: stored },
  { lines: `replace k 0 0 1\r\nx`, counts: stored },
  { lines: `replace nothing 0 0 1\r\nx`, counts: { cmd_set: 1 } },
  { lines: `append k 0 0 1\r\nx`, counts: stored },
  { lines: `append nothing 0 0 1\r\nx`, counts: { cmd_set: 1 } },
  { lines: `prepend k 0 0 1\r\nx`, counts: stored },
  { lines: `cas k 0 0 1 1\r\nx`, counts: { cmd_set: 1, cas_badval: 1 } },
  { lines: `cas nothing 0 0 1 1\r\nx`, counts: { cmd_set: 1, cas_misses: 1 } },
  { lines: `cas k 0 0 1 {cas}\r\nx`, counts: { ...stored, cas_hits: 1 } },
  { lines: `ms k 1 C{cas}\r\nx`, counts: { ...stored, cas_hits: 1 } },
  {
    lines: `set k 0 0 1\r\nxyz`,
    counts: {},
    memcached: { cmd_set: 1 },
    why: 'a value that does not end where it should is stored by nobody',
  },
  { lines: `set large 0 0 1100000\r\n${value(1_100_000)}`, counts: { store_too_large: 1 } },
  { lines: `ms large 1100000\r\n${value(1_100_000)}`, counts: { store_too_large: 1 } },
  { lines: `set k 0 0 x`, counts: {} },
  { lines: `set k 0 0 1\r\n5`, counts: stored },

  { lines: 'get k', counts: { cmd_get: 1, get_hits: 1 } },
  { lines: 'gets k', counts: { cmd_get: 1, get_hits: 1 } },
  { lines: 'get nothing', counts: { cmd_get: 1, get_misses: 1 } },
  { lines: 'get k nothing k', counts: { cmd_get: 3, get_hits: 2, get_misses: 1 } },
  { lines: 'gat 0 k', counts: { cmd_touch: 1, touch_hits: 1 } },
  { lines: 'gats 100 k nothing', counts: { cmd_touch: 2, touch_hits: 1, touch_misses: 1 } },
  { lines: 'touch k 0', counts: { cmd_touch: 1, touch_hits: 1 } },
  { lines: 'touch nothing 0', counts: { cmd_touch: 1, touch_misses: 1 } },
  { lines: 'touch k x', counts: {} },
  { lines: 'mg k v', counts: { cmd_get: 1, get_hits: 1 } },
  { lines: 'mg k', counts: { cmd_get: 1, get_hits: 1 } },
  { lines: 'mg nothing v', counts: { cmd_get: 1, get_misses: 1 } },
  { lines: 'mg nothing v q', counts: { cmd_get: 1, get_misses: 1 } },
  { lines: 'mg k T100 v', counts: { cmd_touch: 1, touch_hits: 1 } },
  {
    lines: 'mg nothing T100 v',
    counts: { cmd_touch: 1, touch_misses: 1 },
    memcached: { cmd_get: 1, get_misses: 1 },
    why: 'as gat: hits and misses of the same command belong together',
  },
  {
    lines: 'mg made N100 v',
    counts: { cmd_get: 1, get_misses: 1, total_items: 1 },
    memcached: { cmd_get: 1, get_hits: 1, total_items: 1 },
    why: 'the reader is told that it is for him to make the value: he has missed it',
  },
  { lines: 'me k', counts: { cmd_meta: 1 } },
  { lines: 'me nothing', counts: { cmd_meta: 1 } },

  { lines: 'incr k 1', counts: { incr_hits: 1 } },
  { lines: 'decr k 1', counts: { decr_hits: 1 } },
  { lines: 'incr nothing 1', counts: { incr_misses: 1 } },
  { lines: 'decr nothing 1', counts: { decr_misses: 1 } },
  { lines: 'ma k', counts: { incr_hits: 1 } },
  { lines: 'ma k MD', counts: { decr_hits: 1 } },
  { lines: 'ma k C1', counts: {} },
  { lines: 'ma nothing', counts: { incr_misses: 1 } },
  { lines: 'ma nothing MD', counts: { decr_misses: 1 } },
  { lines: 'ma counter N0 J5', counts: { total_items: 1 } },
  { lines: 'incr new 1', counts: {} },

  { lines: 'md k C1', counts: { delete_misses: 1 } },
  { lines: 'md k I', counts: {} },
  { lines: 'ms k 1 C1 I\r\nx', counts: { ...stored, cas_hits: 1 } },
  { lines: 'delete k', counts: { delete_hits: 1 } },
  { lines: 'delete k', counts: { delete_misses: 1 } },
  { lines: 'md new', counts: { delete_hits: 1 } },
  { lines: 'md new', counts: { delete_misses: 1 } },
  { lines: 'delete k 5', counts: {} },

  {
    lines: 'set e 0 -1 1\r\nx\r\nget e',
    counts: { ...stored, ...dropped, cmd_get: 1, get_misses: 1, get_expired: 1 },
  },
  {
    lines: 'set e 0 -1 1\r\nx\r\ntouch e 0',
    counts: { ...stored, ...dropped, cmd_touch: 1, touch_misses: 1, get_expired: 1 },
  },
  {
    lines: 'set e 0 -1 1\r\nx\r\nadd e 0 0 1\r\nx\r\nget e',
    counts: { ...dropped, cmd_set: 2, total_items: 2, cmd_get: 1, get_hits: 1, get_expired: 1 },
  },

  { lines: 'flush_all', counts: { cmd_flush: 1 } },
  {
    lines: 'set f 0 0 1\r\nx\r\nflush_all\r\nget f',
    counts: { ...stored, cmd_flush: 1, cmd_get: 1, get_misses: 1 },
    memcached: { ...stored, cmd_flush: 1, cmd_get: 1, get_misses: 1, get_flushed: 1 },
    why: 'the flush drops the item, and nothing is there to be found flushed',
  },
  { lines: 'flush_all x', counts: { cmd_flush: 1 } },
  { lines: 'flush_all noreply', counts: { cmd_flush: 1 } },
  { lines: 'version', counts: {} },
  { lines: 'nonsense', counts: {} },
]
