/** A cache that fills with what others put there. */
import { setImmediate as turn } from 'node:timers/promises'

/** What is put there and taken away again, a size at a time. */
export interface Crowded {
  /** Bytes that the record under the key takes; undefined when there is none. On memcached, to ask is not to use it. */
  sizeOf(key: string): Promise<number | undefined>
  /** Puts items of so many bytes there, all in all. How many were taken. */
  put(keys: readonly string[], bytes: number): Promise<number>
  remove(keys: readonly string[]): Promise<void>
}

const AT_A_TIME = 200
/** By then everything has been thrown out that can be. */
const MOST_ROUNDS = 150
/** Records of locks are of such sizes. Where memory is divided by size, each of these has its own. */
const SIZES = [400, 310, 250, 200, 160, 128, 100, 80]
/** Part of what is there that is taken away to make room, of each size. */
const ROOM = 0.2

let count = 0

function freshKeys(number: number): string[] {
  return Array.from({ length: number }, () => `latchkey:crowd:${count++}`)
}

/** Items like the one under this key come until that is gone, or for so long that it will never be. */
export async function crowdOut(cache: Crowded, key: string): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const bytes = await cache.sizeOf(key)
    if (bytes === undefined) return
    await cache.put(freshKeys(AT_A_TIME), bytes)
    await turn()
  }
}

/** What fills a cache that evicts nothing. */
export class Crowd {
  readonly #cache: Crowded
  /** By size; some of the last of each were not. */
  readonly #taken = new Map<number, string[]>(SIZES.map((bytes) => [bytes, []]))

  constructor(cache: Crowded) {
    this.#cache = cache
  }

  async fill(): Promise<void> {
    for (const [bytes, taken] of this.#taken) {
      for (;;) {
        const keys = freshKeys(AT_A_TIME)
        if ((await this.#cache.put(keys, bytes)) === 0) break
        taken.push(...keys)
        // The laboratory has other things to do: a store's work is done when it returns.
        await turn()
      }
    }
  }

  /** For others, until it is filled again. */
  async makeRoom(): Promise<void> {
    for (const taken of this.#taken.values()) {
      await this.#cache.remove(taken.splice(0, Math.ceil(ROOM * taken.length)))
    }
  }
}

/**
 * What an item takes on memcached beside its key and value, to the byte: where memory is divided by size, what is one byte smaller may
 * be among others, and crowd out nothing.
 */
const OVERHEAD_BYTES = 59

export function filler(key: string, bytes: number): string {
  return 'x'.repeat(Math.max(1, bytes - OVERHEAD_BYTES - key.length))
}
