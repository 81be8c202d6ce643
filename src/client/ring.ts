/**
 * Which server a key belongs to: the ketama ring of libmemcached, point by point, so that servers can be shared with
 * php-memcached, pylibmc and whatever else is built on it. (Not with pymemcache, python-memcached or Dalli, which each
 * divide the keys in a way of their own.)
 *
 * Every server has points on a circle of 2^32, and owns the keys whose hash lies between the point before and its own.
 * One server more or less therefore moves its own keys only, about one in n.
 *
 * | distribution | in libmemcached | points a server | hash |
 * |---|---|---|---|
 * | `ketama-weighted` | `KETAMA_WEIGHTED`, PHP's `OPT_LIBKETAMA_COMPATIBLE`, pylibmc's `ketama_weighted` | 160 by weight | MD5 |
 * | `ketama` | `KETAMA`, PHP's `DISTRIBUTION_CONSISTENT`, pylibmc's `ketama` | 100 | one-at-a-time |
 *
 * The first is the default, being what libmemcached calls compatible with libketama. With a weight above 1, `ketama`
 * takes the points of `ketama-weighted` but keeps its own hash for the keys: so does libmemcached.
 *
 * A point comes from the server's name, not from its place in the list: `host-0`, `host-1`, … on port 11211, else
 * `host:port-0`, … Everybody has to name a server alike, either by its address or by the same host name. A Unix socket
 * goes by its path, as PHP has it; pylibmc puts `:0` behind. By default libmemcached hashes a key without its namespace
 * (PHP's `OPT_PREFIX_KEY`).
 */
import { inspect } from 'node:util'
import { type Address, DEFAULT_PORT } from './address.js'
import { InvalidArgumentError } from './errors.js'
import { md5 } from './md5.js'
import { oneAtATime } from './one-at-a-time.js'

export type Distribution = 'ketama-weighted' | 'ketama'

interface Point {
  at: number
  /** Index of the server. */
  owner: number
}

const weightedPoints = 160
const plainPoints = 100
/** A digest is cut into its four words, each a point. */
const words = 4

const digest = new Int32Array(words)
let scratch = Buffer.alloc(1024)

export class Ring {
  /** The points in order, and at the same place the server that has it. */
  readonly #points: Uint32Array
  readonly #owners: Uint32Array
  readonly #hash: (bytes: Uint8Array, length: number) => number
  readonly #alone: boolean

  /** `servers` as `parseServers` returns them; `pick` answers with indexes into this list. */
  constructor(servers: readonly Address[], distribution: Distribution = 'ketama-weighted') {
    if (distribution !== 'ketama-weighted' && distribution !== 'ketama')
      throw new InvalidArgumentError(`no distribution: ${inspect(distribution)}; use 'ketama-weighted' or 'ketama'`)
    const weighted = distribution === 'ketama-weighted' || servers.some((server) => server.weight > 1)
    const points = weighted ? pointsByWeight(servers) : pointsAlike(servers)
    // The sort is stable: where two servers have the same point, the first in the list owns it.
    points.sort((one, other) => one.at - other.at)
    this.#points = Uint32Array.from(points, (point) => point.at)
    this.#owners = Uint32Array.from(points, (point) => point.owner)
    this.#hash = distribution === 'ketama-weighted' ? md5Word : oneAtATime
    this.#alone = servers.length === 1
  }

  /** The index of the server that `key` belongs to. Text is hashed as UTF-8. */
  pick(key: string | Uint8Array): number {
    if (this.#alone) return 0
    if (typeof key !== 'string') return this.#ownerOf(this.#hash(key, key.length))
    const length = write(key)
    return this.#ownerOf(this.#hash(scratch, length))
  }

  /** The owner of the first point that is not below `hash`; behind the last comes the first. */
  #ownerOf(hash: number): number {
    const points = this.#points
    let low = 0
    let high = points.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (points[middle] < hash) low = middle + 1
      else high = middle
    }
    return this.#owners[low === points.length ? 0 : low]
  }
}

/**
 * Points in proportion to weight, four of each MD5. The sums are libmemcached's, in C's `float`, whose rounding decides
 * how many there are: of 24 equal servers each has 160, of 25 each has 156.
 */
function pointsByWeight(servers: readonly Address[]): Point[] {
  const float = Math.fround
  const total = float(servers.reduce((sum, server) => sum + server.weight, 0))
  return servers.flatMap((server, owner) => {
    const share = float(float(server.weight) / total)
    const digests = float(float(float(float(share * weightedPoints) / words) * servers.length) + float(1e-10))
    return Array.from({ length: Math.floor(digests) }, (_, i) => pointsOf(labelOf(server, i), owner)).flat()
  })
}

function pointsOf(label: Buffer, owner: number): Point[] {
  md5(label, label.length, digest)
  return Array.from(digest, (word) => ({ at: word >>> 0, owner }))
}

function pointsAlike(servers: readonly Address[]): Point[] {
  return servers.flatMap((server, owner) =>
    Array.from({ length: plainPoints }, (_, i) => {
      const label = labelOf(server, i)
      return { at: oneAtATime(label, label.length), owner }
    }),
  )
}

function labelOf(server: Address, i: number): Buffer {
  if ('path' in server) return Buffer.from(`${server.path}-${i}`)
  const port = server.port === DEFAULT_PORT ? '' : `:${server.port}`
  return Buffer.from(`${server.host}${port}-${i}`)
}

function md5Word(bytes: Uint8Array, length: number): number {
  md5(bytes, length, digest)
  return digest[0] >>> 0
}

/** The text as UTF-8 in `scratch`; returns the number of bytes. A loop of our own: keys are short, and mostly ASCII. */
function write(text: string): number {
  if (text.length * 3 > scratch.length) scratch = Buffer.alloc(text.length * 3)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 127) return scratch.write(text)
    scratch[i] = code
  }
  return text.length
}
