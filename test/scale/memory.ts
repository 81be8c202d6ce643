/** What a held lock takes of its client's heap, measured: real locks over a connection that answers at once and keeps nothing. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createLocks, type LockDriver, quorumOf } from 'latchkey/locks'

setFlagsFromString('--expose-gc')
export const collectGarbage = runInNewContext('gc') as () => void

/** Bytes a lock; `servers`: 1, or those of a quorum. */
export async function heapPerLock(servers: number, locks = 20_000): Promise<number> {
  const members = Array.from({ length: servers }, granting)
  const all = createLocks(servers === 1 ? members[0] : quorumOf(members))
  const take = (from: number) => Promise.all(Array.from({ length: locks }, (_, nth) => all.acquire(`${from + nth}`)))
  const warm = await take(0)
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  const held = await take(locks)
  collectGarbage()
  const bytes = (process.memoryUsage().heapUsed - before) / locks
  await Promise.all([...warm, ...held].map((lock) => lock.release()))
  await all.close()
  return bytes
}

function granting(): LockDriver {
  let token = 1n << 50n
  const unused = () => {
    throw new Error('it is not asked for this')
  }
  return {
    kind: 'granting',
    claim: async ({ key, name, holder, guarantee, fence }, { clock }) => {
      const version = token++
      const lease = {
        key,
        name,
        holder,
        guarantee,
        fence: fence ?? version,
        version,
        from: clock.now(),
        granularityMs: 0,
      }
      return { status: 'held', lease, floor: 0n }
    },
    extend: async (lease) => lease,
    raise: async () => 0n,
    release: async () => true,
    find: async () => undefined,
    list: unused,
    facts: unused,
    close: async () => undefined,
  }
}
