import type { Cell } from './cells.js'
import type { OpenSubject, Setting } from './subjects/subject.js'

/** A client in one setting. A peer that has several runs in all of them, and counts in the best. */
export interface Contender extends Setting {
  name: string
  client: string
  load: () => Promise<{ open: OpenSubject }>
  /** Cells without it. */
  leftOut?: (cell: Cell) => boolean
}

/**
 * `memcached` keeps what it receives in one string until a piece happens to end with a line, and looks at all of it again
 * with every piece: 6,400 values of 10 KB take it 25 seconds, and 1,600 take one.
 */
const tooMuchAtOnce = ({ operation, concurrency, valueBytes }: Cell) =>
  operation === 'getMany' && concurrency * valueBytes > 100_000

const latchkey = () => import('./subjects/latchkey.js')
const memjs = () => import('./subjects/memjs.js')
const memcached = () => import('./subjects/memcached.js')
const memcache = () => import('./subjects/memcache.js')
const memcacheClient = () => import('./subjects/memcache-client.js')

export const ours = 'Latchkey'

export const contenders: readonly Contender[] = [
  { name: 'Latchkey, bytes', client: ours, values: 'bytes', connections: 1, load: latchkey },
  { name: 'Latchkey, text', client: ours, values: 'text', connections: 1, load: latchkey },
  { name: 'memjs', client: 'memjs', values: 'bytes', connections: 1, load: memjs },
  { name: 'memcached', client: 'memcached', values: 'text', connections: 1, load: memcached, leftOut: tooMuchAtOnce },
  {
    name: 'memcached ×10',
    client: 'memcached',
    values: 'text',
    connections: 10,
    load: memcached,
    leftOut: tooMuchAtOnce,
  },
  { name: 'memcache', client: 'memcache', values: 'text', connections: 1, load: memcache },
  { name: 'memcache-client, bytes', client: 'memcache-client', values: 'bytes', connections: 1, load: memcacheClient },
  { name: 'memcache-client, text', client: 'memcache-client', values: 'text', connections: 1, load: memcacheClient },
  { name: 'memcache-client ×5', client: 'memcache-client', values: 'bytes', connections: 5, load: memcacheClient },
]
