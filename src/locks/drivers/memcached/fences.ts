/**
 * Fences where the server's tokens are none: numbers drawn from a counter, by whoever has added the lock's item and not yet taken the
 * lock. There is a bounded set of counters, shared by the names, which never expire.
 *
 * A counter that is missing, because the server has restarted or has evicted it, starts at the server's own clock in microseconds:
 * nobody draws a million a second for long, so that is ahead of all that was drawn before, unless the server's clock was set
 * back over a restart. The clients' clocks do not matter. As a guard, no fence is given that is not above every one that this
 * driver has drawn or seen of the counter's names.
 */
import type { Line } from './dialect.js'
import { changing } from './dialect.js'
import { sending } from './outcome.js'
import { statsOf } from './standing.js'

export const COUNTER_PREFIX = 'latchkey:fence-counter:'
const COUNTERS = 64
const MICROS = 1_000_000n

export class Fences {
  /** By server and counter. */
  readonly #highest = new Map<string, bigint>()

  async draw(key: string, line: Line): Promise<bigint> {
    const counter = counterOf(key)
    const drawn = (await this.#count(counter, 1n, line)) ?? (await this.#begin(counter, line))
    const missing = this.#highestOf(key, line) + 1n - drawn
    const fence = missing <= 0n ? drawn : ((await this.#count(counter, missing, line)) ?? drawn + missing)
    this.saw(key, fence, line)
    return fence
  }

  /** Another's fence: ours must be above. */
  saw(key: string, fence: bigint | undefined, line: Line): void {
    if (fence !== undefined && fence > this.#highestOf(key, line)) this.#highest.set(placeOf(key, line), fence)
  }

  async #begin(counter: string, line: Line): Promise<bigint> {
    const { time } = await statsOf(line.client, '', line.session, counter, line.call)
    const initial = BigInt(time ?? Math.floor(Date.now() / 1000)) * MICROS
    return (await this.#count(counter, 1n, line, initial))!
  }

  #count(counter: string, delta: bigint, line: Line, initial?: bigint): Promise<bigint | undefined> {
    const options = initial === undefined ? changing(line) : { ...changing(line), initial, ttl: 0 }
    return sending(counter, 'adds', line.client.incr(counter, delta, options))
  }

  #highestOf(key: string, line: Line): bigint {
    return this.#highest.get(placeOf(key, line)) ?? 0n
  }
}

function placeOf(key: string, { session }: Line): string {
  return `${session.server} ${counterOf(key)}`
}

/** The same for everybody: FNV-1a of the key. */
export function counterOf(key: string): string {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193)
  return `${COUNTER_PREFIX}${(hash >>> 0) % COUNTERS}`
}
