/** Django: a context manager that tells its body whether it has the lock, and deletes it at the end whether it had or not. */
import type { Client } from 'latchkey/client'

export async function withLock<R>(cache: Client<string>, key: string, body: (held: boolean) => Promise<R>): Promise<R> {
  const held = await cache.add(key, 'locked', { ttl: '60s' })
  try {
    return await body(held)
  } finally {
    await cache.delete(key)
  }
}
