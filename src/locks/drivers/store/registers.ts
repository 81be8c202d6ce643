/** Registers on the embedded store: pinned items, whose tokens never come again. */
import type { Store } from '../../../store/index.js'
import type { Call, Registered, Registers } from '../../driver.js'
import { lifeMs } from '../life.js'
import { checkRegister, REGISTER_PREFIX } from '../register.js'
import { attempt } from './outcome.js'

export class StoreRegisters implements Registers {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async read(key: string, { signal }: Call): Promise<Registered | undefined> {
    signal?.throwIfAborted()
    const entry = await attempt(key, () => this.#store.gets(REGISTER_PREFIX + key))
    return entry && { value: Buffer.from(entry.value).toString(), version: entry.cas }
  }

  async swap(
    key: string,
    value: string,
    before: bigint | undefined,
    ttlMs: number,
    { signal }: Call,
  ): Promise<bigint | undefined> {
    checkRegister(key, value, ttlMs)
    signal?.throwIfAborted()
    const at = REGISTER_PREFIX + key
    const options = { ttlMs: lifeMs(ttlMs) }
    if (before === undefined) return attempt(key, () => this.#store.claim(at, value, options))
    const swapped = await attempt(key, () => this.#store.swap(at, value, before, options))
    return typeof swapped === 'bigint' ? swapped : undefined
  }
}
