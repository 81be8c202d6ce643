/** The embedded store as a cache of text. */
import type { Store } from '../../store/index.js'
import type { OpenCache } from './cache.js'

export function cacheInStore(store: Store): OpenCache {
  return {
    async get(key) {
      const value = store.get(key)
      return value && textOf(value)
    },
    async gets(key) {
      const entry = store.gets(key)
      return entry && { value: textOf(entry.value), cas: entry.cas }
    },
    async set(key, value, ttlS) {
      store.set(key, value, { ttlMs: ttlS * 1000 })
      return true
    },
    add: async (key, value, ttlS) => store.add(key, value, { ttlMs: ttlS * 1000 }),
    cas: async (key, value, cas, ttlS) => store.cas(key, value, cas, { ttlMs: ttlS * 1000 }) === 'stored',
    delete: async (key) => store.delete(key),
    connect: async () => undefined,
    close: async () => undefined,
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
}
