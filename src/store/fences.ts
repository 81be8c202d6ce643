/**
 * Fence registers: beside a key that is written with fences lies an item that holds the greatest one accepted so far. It
 * is a pinned item in the same stripe (see `key.ts`), so that one lock covers the check and the write.
 */
import { Bytes } from './bytes.js'
import { StoreFenceError } from './errors.js'
import { FENCE_PREFIX, FENCE_PREFIX_LENGTH, type Key } from './key.js'
import { KEY_MAX } from './layout.js'

const DAY_MS = 86_400_000
/** A register lives as long as what it guards, within these; each write that is accepted renews it. */
const LIFE_MIN_MS = DAY_MS
const LIFE_MAX_MS = 30 * DAY_MS
/** A register that lives about as long as it should is not written again for that alone. */
const RENEW_MS = 3_600_000

const scratch = Bytes.allocate(KEY_MAX + 4)
scratch.u8.set(FENCE_PREFIX)

/** @throws StoreFenceError for a key that can have no register. */
export function checkFenceKey(key: Key): void {
  if (key.length > KEY_MAX - FENCE_PREFIX_LENGTH)
    throw new StoreFenceError(`a key that is written with fences has at most ${KEY_MAX - FENCE_PREFIX_LENGTH} bytes`)
  if (key.isFence) throw new StoreFenceError('a fence register has no fence of its own')
}

/** Makes `register` the key of the register of `key`. */
export function takeRegisterKey(register: Key, key: Key): void {
  for (let i = 0; i < key.wordLength; i++) scratch.view.setInt32(FENCE_PREFIX_LENGTH + i * 4, key.words[i]!, true)
  register.setBytes(scratch, 0, FENCE_PREFIX_LENGTH + key.length)
}

/** When the register of something that ends at `dataEndsAtMs` (0 for never) is to end. */
export function registerEnd(dataEndsAtMs: number, nowMs: number): number {
  if (dataEndsAtMs === 0) return nowMs + LIFE_MAX_MS
  return Math.min(nowMs + LIFE_MAX_MS, Math.max(nowMs + LIFE_MIN_MS, dataEndsAtMs))
}

/** Whether a register that holds this very fence, and ends at `endsAtMs`, is to be written again to end later. */
export function isRenewalDue(endsAtMs: number, wantedEndMs: number): boolean {
  return endsAtMs !== 0 && wantedEndMs - endsAtMs > RENEW_MS
}
