/** Listing keys: over connections of its own, since a server may take long for it, and its replies are in order. */
import { isUtf8 } from 'node:buffer'
import { Dump, type DumpedKey } from './commands/dump.js'
import { Dispatch, type DispatchDefaults } from './dispatch.js'
import type { Fleet } from './fleet.js'
import { checkCallOptions, prefixOf, whole } from './settings.js'
import type { Key, KeysOptions, ListedKey } from './types.js'

const LIMIT = 100_000
const DEADLINE_MS = 60_000

export async function* keys(fleet: Fleet, defaults: DispatchDefaults, options: KeysOptions): AsyncGenerator<ListedKey> {
  checkCallOptions(options)
  const { prefix = '', pinned = false, limit = LIMIT, ...call } = options
  const wanted = Buffer.from(defaults.prefix + prefixOf(prefix))
  const dropped = Buffer.byteLength(defaults.prefix)
  whole(limit, 'limit')
  const own = new Dispatch(fleet.duplicate(), { ...defaults, deadlineMs: DEADLINE_MS })
  try {
    for (const { name } of fleet.upstreams) {
      const found = await own.named(name, call, new Dump(wanted, limit, pinned))
      for (const item of found) yield listed(item, dropped, name)
    }
  } finally {
    // Whoever has heard enough need not wait for the rest.
    await own.fleet.hangUp()
  }
}

function listed({ key, exp, cas }: DumpedKey, dropped: number, server: string): ListedKey {
  const expiresAt = exp < 0 ? undefined : new Date(exp * 1000)
  return { key: keyOf(key.subarray(dropped)), server, expiresAt, cas }
}

/** Text where the same text would be this key. */
function keyOf(bytes: Buffer): Key {
  const isText = isUtf8(bytes) && bytes.every((byte) => byte > 32 && byte !== 127)
  return isText ? bytes.toString() : bytes
}
