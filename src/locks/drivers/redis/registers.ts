/**
 * Registers on Redis: strings, each under a key of its own that ends with its life. The version is the SHA-1 of what is there, as with locks;
 * a number in front of each value makes it another each time.
 */
import type { Call, Registered, Registers, Version } from '../../driver.js'
import { lifeMs } from '../life.js'
import { checkRegister, decodeRegister, encodeAnew, REGISTER_PREFIX } from '../register.js'
import type { Link } from './link.js'
import { READ, SWAP } from './scripts.js'

export class RedisRegisters implements Registers {
  readonly #link: Link

  constructor(link: Link) {
    this.#link = link
  }

  async read(key: string, call: Call): Promise<Registered | undefined> {
    const reply = await this.#link.run(READ, [REGISTER_PREFIX + key], [], { lock: key, effect: 'asks', call })
    if (!Array.isArray(reply)) return undefined
    const [value, version] = reply
    return { value: decodeRegister(value), version }
  }

  async swap(
    key: string,
    value: string,
    before: Version | undefined,
    ttlMs: number,
    call: Call,
  ): Promise<Version | undefined> {
    checkRegister(key, value, ttlMs)
    const args = [`${before ?? ''}`, encodeAnew(value), `${lifeMs(ttlMs)}`]
    const version = await this.#link.run(SWAP, [REGISTER_PREFIX + key], args, { lock: key, effect: 'changes', call })
    return typeof version === 'string' ? version : undefined
  }
}
