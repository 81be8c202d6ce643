/** incr and decr, with a first value for a missing counter also where the server has no command for that. */
import { Count, type Vivify } from './commands/counter.js'
import { Store } from './commands/store.js'
import { type Dispatch, leftOf } from './dispatch.js'
import { UnsupportedError } from './errors.js'
import type { WireKey } from './key.js'
import type { CallOptions, Key } from './types.js'

export type Direction = 'incr' | 'decr'

export async function count(
  dispatch: Dispatch,
  direction: Direction,
  key: Key,
  delta: bigint,
  vivify: Vivify | undefined,
  options: CallOptions,
): Promise<bigint | undefined> {
  try {
    return await dispatch.keyed(key, options, (wire) => new Count(direction, wire, delta, vivify))
  } catch (error) {
    if (error instanceof UnsupportedError && vivify !== undefined) {
      return countInSteps(dispatch, direction, key, delta, vivify, options)
    }
    throw error
  }
}

/** `add` makes the counter; where somebody else was faster, there is one to count on. */
async function countInSteps(
  dispatch: Dispatch,
  direction: Direction,
  key: Key,
  delta: bigint,
  { initial, exptime }: Vivify,
  options: CallOptions,
): Promise<bigint> {
  const encoded = { data: `${initial}`, flags: 0 }
  const until = dispatch.until(options)
  for (;;) {
    const counted = await dispatch.keyed(key, leftOf(options, until), (wire) => new Count(direction, wire, delta))
    if (counted !== undefined) return counted
    const make = (wire: WireKey) => new Store('add', wire, encoded, exptime)
    if (await dispatch.keyed(key, leftOf(options, until), make)) return initial
  }
}
