/** What a server notes in the image that it leaves: when that was, and what its locks left besides. */
import { StoreImageError } from '../../store/index.js'
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

/** @throws StoreImageError for the note of some other program. */
export function noteIn(text: string): Note {
  try {
    const note = JSON.parse(text) as Note
    if (Number.isFinite(note.wallMs)) return note
  } catch {
    // Not even JSON.
  }
  throw new StoreImageError('it is not of a server')
}

/** The time since boot is told in hundredths of a second. */
const BOOT_STEP_MS = 10

/**
 * For how long the server was stopped: by the wall clock, as long as on the same boot of the machine that boot's clock vouches for
 * it; else by that, and rather too short than too long, since no lock may end before its time. A wall clock that was set back
 * cannot give time back.
 */
export function stoppedFor({ wallMs, boot }: Note, moments: Moments): number {
  const byWallMs = Math.max(0, moments.wallMs() - wallMs)
  const now = moments.boot()
  if (boot === null || boot.id !== now?.id) return byWallMs
  const byBootMs = now.ms - boot.ms
  const isVouchedFor = Math.abs(byWallMs - byBootMs) <= BOOT_STEP_MS
  return Math.max(0, isVouchedFor ? byWallMs : byBootMs - BOOT_STEP_MS)
}
