/**
 * Registers on memcached servers. Latchkey pins them; stock memcached may evict one, drops it when it is flushed and forgets it when it
 * restarts. Each value is written behind a number of its own and a space: the item is read right behind the swap, for its
 * token, and what another has swapped in between must not be taken for ours.
 *
 * On both the same classic commands are used, which count whole seconds, for those who share a register need not have the same
 * protocol. Versions name the process, whose tokens may begin anew with the next.
 */
import type { Call, Registered, Registers } from '../../driver.js'
import { checkRegister, decodeRegister, encodeAnew, REGISTER_PREFIX } from '../register.js'
import { add, read, type Stored, swap } from './items.js'
import type { Lines } from './lines.js'
import { type Standing, type Standings, tokenOf, versionOf } from './standing.js'

/** Its clock, which ticks about once a second, may be so much ahead of what it is taken for, and skip a second. */
const EARLY_S = 2
/** As a longer life is a moment of the wall clock, machines may differ by so much. */
const SKEW_S = 86_400
const MOST_SPAN_S = 30 * 86_400
/** memcached cannot tell later ones: January 2038. */
const LAST_MOMENT_S = 2 ** 31 - 1
/** Of what has been changed again before its token could be read: no item has it. */
const CHANGED = -1n

export class MemcachedRegisters implements Registers {
  readonly #lines: Lines
  readonly #standings: Standings

  constructor(lines: Lines, standings: Standings) {
    this.#lines = lines
    this.#standings = standings
  }

  async read(key: string, call: Call): Promise<Registered | undefined> {
    const at = REGISTER_PREFIX + key
    const line = await this.#lines.get(at, call)
    const standing = await this.#standings.of(line.client, line.session, key, call)
    const item = await read(at, line)
    return item && { value: decodeRegister(item.value.toString()), version: versionOf(item.cas, standing) }
  }

  async swap(
    key: string,
    value: string,
    before: bigint | undefined,
    ttlMs: number,
    call: Call,
  ): Promise<bigint | undefined> {
    checkRegister(key, value, ttlMs)
    const at = REGISTER_PREFIX + key
    const line = await this.#lines.get(at, call)
    const standing = await this.#standings.of(line.client, line.session, key, call)
    const seconds = secondsOf(ttlMs)
    if (before === undefined) return outcomeOf(await add(at, encodeAnew(value), seconds, line), standing)
    const cas = tokenOf(before, standing)
    return cas === undefined ? undefined : outcomeOf(await swap(at, encodeAnew(value), seconds, cas, line), standing)
  }
}

/** undefined: it was changed before. */
function outcomeOf(stored: Stored, standing: Standing): bigint | undefined {
  if (stored.cas !== undefined) return versionOf(stored.cas, standing)
  return stored.done ? CHANGED : undefined
}

/** Longer rather than shorter; 0 for ever. */
function secondsOf(ttlMs: number): number {
  const seconds = Math.ceil(ttlMs / 1000) + EARLY_S
  if (seconds <= MOST_SPAN_S) return seconds
  const safe = seconds + SKEW_S
  return Date.now() / 1000 + safe < LAST_MOMENT_S ? safe : 0
}
