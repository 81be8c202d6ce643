/** What the server has under a key, as users see it. */
import type { Found } from './driver.js'
import type { LockInfo } from './types.js'

export function lockInfo(found: Found, prefix: string): LockInfo {
  const { owner, host, pid, label, since } = found.holder
  return {
    name: found.key.slice(prefix.length),
    owner,
    fence: found.fence,
    host,
    pid,
    label,
    since: since === undefined ? undefined : new Date(since),
    leftMs: found.leftMs,
    waiters: found.waiters,
  }
}
