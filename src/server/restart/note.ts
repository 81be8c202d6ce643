/** What a server notes in the image that it leaves: when that was, and what its locks left besides. */
import type { Moments } from '../state/moments.js'
import type { BootTime } from '../state/record.js'

export interface Note {
  readonly wallMs: number
  readonly boot: BootTime | null
  /** The text of the lock state file at the end; null without a state directory. */
  readonly lockState: string | null
}

export function noteNow(lockState: string | undefined, moments: Moments): Note {
  return { wallMs: moments.wallMs(), boot: moments.boot() ?? null, lockState: lockState ?? null }
}

/** The time since boot is told in hundredths of a second. */
const BOOT_STEP_MS = 10

/**
 * For how long the server was stopped: by the wall clock and, on the same boot of the machine, within what that boot's clock
 * vouches for. A wall clock that was set back cannot give time back.
 */
export function stoppedFor({ wallMs, boot }: Note, moments: Moments): number {
  const byWallMs = Math.max(0, moments.wallMs() - wallMs)
  const now = moments.boot()
  if (boot === null || boot.id !== now?.id) return byWallMs
  const byBootMs = now.ms - boot.ms
  return Math.max(0, byBootMs - BOOT_STEP_MS, Math.min(byWallMs, byBootMs + BOOT_STEP_MS))
}
