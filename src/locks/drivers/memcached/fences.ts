/**
 * Fences where the server's tokens are none: numbers drawn from a counter, by whoever has added the lock's item and not yet taken the
 * lock. There is a bounded set of counters, shared by the names, which never expire.
 *
 * A counter that is missing, because the server has restarted or has evicted it, starts at the moment of the server's start, in tenths
 * of microseconds, plus the token of the record for which it is needed. Tokens count all changes of that process, each draw is one,
 * and the record is newer than all draws of earlier holders: so the start is above them, however soon the counter was lost again. And nobody
 * changes ten million items a second for long: so it is above what was drawn before a restart, unless the server's clock was set
 * back over it. The clients' clocks do not matter. As a guard, no fence is given that is not above every one that this driver has
 * drawn or seen of the counter's names.
 */
import type { Line } from './dialect.js'
import { changing } from './dialect.js'
import { sending } from './outcome.js'
import type { Standing } from './standing.js'

export const COUNTER_PREFIX = 'latchkey:fence-counter:'
const COUNTERS = 64
/** More than any server can change in a second. */
const CHANGES_PER_S = 10_000_000n

export class Fences {
  /** By server and counter. */
  readonly #highest = new Map<string, bigint>()

  /** `cas`: the token of the record that was added for it, on the server of this standing. */
  async draw(key: string, cas: bigint, standing: Standing, line: Line): Promise<bigint> {
    const counter = counterOf(key)
    const drawn = (await this.#count(counter, 1n, line)) ?? (await this.#begin(counter, firstOf(standing, cas), line))
    const missing = this.#highestOf(key, line) + 1n - drawn
    const fence = missing <= 0n ? drawn : ((await this.#count(counter, missing, line)) ?? drawn + missing)
    this.saw(key, fence, line)
    return fence
  }

  /** Another's fence: ours must be above. */
  saw(key: string, fence: bigint | undefined, line: Line): void {
    if (fence !== undefined && fence > this.#highestOf(key, line)) this.#highest.set(placeOf(key, line), fence)
  }

  async #begin(counter: string, initial: bigint, line: Line): Promise<bigint> {
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

/** By our clock where a server does not tell; such a one is trusted only if told to. */
function firstOf({ time, uptimeMs }: Standing, cas: bigint): bigint {
  if (time === undefined || uptimeMs === undefined) return BigInt(Date.now()) * (CHANGES_PER_S / 1000n)
  return BigInt(time - uptimeMs / 1000) * CHANGES_PER_S + cas
}

function placeOf(key: string, { session }: Line): string {
  return `${session.server} ${counterOf(key)}`
}

export function counterOf(key: string): string {
  return `${COUNTER_PREFIX}${hashOf(key) % COUNTERS}`
}

/** The same for everybody: FNV-1a of the key. */
export function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
