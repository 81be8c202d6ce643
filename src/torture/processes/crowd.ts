/** A cache that fills with what others put there. */
import { type Client, createClient, ServerError } from '../../client/index.js'
import type { Address } from './wires.js'

/** What is put there and taken away again, a size at a time. */
export interface Crowded {
  /** Bytes that the record under the key takes; undefined when there is none. Does not count as a use of it. */
  sizeOf(key: string): Promise<number | undefined>
  /** Puts items of so many bytes there, all in all. How many were taken. */
  put(keys: readonly string[], bytes: number): Promise<number>
  remove(keys: readonly string[]): Promise<void>
}

const AT_A_TIME = 500
/** By then everything has been thrown out that can be. */
const MOST_ROUNDS = 60
/** Records of locks are of such sizes. Where memory is divided by size, each of these has its own. */
const SIZES = [400, 310, 250, 200, 160, 128, 100, 80]
/** So many are taken away of each size, to make room. */
const ROOM = 100

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
  }
}

/** What fills a cache that evicts nothing. */
export class Crowd {
  readonly #cache: Crowded
  /** The last ones of each size. */
  readonly #last = new Map<number, string[]>()

  constructor(cache: Crowded) {
    this.#cache = cache
  }

  async fill(): Promise<void> {
    for (const bytes of SIZES) {
      let keys: string[]
      do {
        keys = freshKeys(AT_A_TIME)
        this.#last.set(bytes, [...(this.#last.get(bytes) ?? []), ...keys].slice(-2 * AT_A_TIME))
      } while ((await this.#cache.put(keys, bytes)) > 0)
    }
  }

  /** So that others find some, until it is filled again. */
  async makeRoom(): Promise<void> {
    for (const keys of this.#last.values()) await this.#cache.remove(keys.slice(0, AT_A_TIME + ROOM))
  }
}

/** What an item takes beside its key and value; the sizes need not be exact. */
const OVERHEAD_BYTES = 60

export function filler(key: string, bytes: number): string {
  return 'x'.repeat(Math.max(1, bytes - OVERHEAD_BYTES - key.length))
}

export class CrowdedServer implements Crowded {
  readonly #client: Client<string>

  constructor({ host, port }: Address) {
    this.#client = createClient({ servers: `${host}:${port}`, deadlineMs: 10_000 })
  }

  async sizeOf(key: string): Promise<number | undefined> {
    const { status, flags } = await this.#client.meta('me', key)
    const size = flags.find((flag) => flag.startsWith('size='))
    return status === 'ME' ? Number(size?.slice('size='.length) ?? SIZES[0]) : undefined
  }

  async put(keys: readonly string[], bytes: number): Promise<number> {
    const taken = await Promise.all(keys.map((key) => this.#client.set(key, filler(key, bytes)).catch(noMemory)))
    return taken.filter((each) => each).length
  }

  async remove(keys: readonly string[]): Promise<void> {
    await Promise.all(keys.map((key) => this.#client.delete(key)))
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

function noMemory(error: unknown): false {
  if (error instanceof ServerError) return false
  throw error
}
