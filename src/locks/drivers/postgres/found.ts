/** What PostgreSQL says of a lock. */
import type { Found } from '../../driver.js'
import { decodeRecord, FOREIGN } from '../record.js'
import type { Row } from './asking.js'

/** The fence is in its column, or in the record as other drivers have it. Who waits is known only where there are queues. */
export function foundOf({ name, record, fence, version, left_ms: leftMs, waiters }: Row): Found<string> {
  const decoded = decodeRecord(Buffer.from(record as string)) ?? FOREIGN
  const drawn = typeof fence === 'string' ? BigInt(fence) : undefined
  return {
    key: name as string,
    holder: decoded.holder,
    fence: typeof decoded.fence === 'bigint' ? decoded.fence : decoded.fence === 'token' ? drawn : undefined,
    version: version as string,
    leftMs: leftMs === null ? undefined : Number(leftMs),
    waiters: typeof waiters === 'number' ? waiters : undefined,
  }
}
