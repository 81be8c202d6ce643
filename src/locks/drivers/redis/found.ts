/** What Redis says of a lock. */
import type { Found } from '../../driver.js'
import { decodeRecord, FOREIGN } from '../record.js'

/** `leftMs` below 0: what is there has no end. */
export function foundOf(key: string, text: string, version: string, leftMs: number, waiters: number): Found<string> {
  const { holder, fence } = decodeRecord(Buffer.from(text)) ?? FOREIGN
  return {
    key,
    holder,
    fence: typeof fence === 'bigint' ? fence : undefined,
    version,
    leftMs: leftMs < 0 ? undefined : leftMs,
    waiters,
  }
}
