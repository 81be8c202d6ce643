/** The clocks that are the same before and after a restart. */
import { readFileSync } from 'node:fs'
import type { BootTime } from './record.js'

/** Says what time it is; tests have their own. */
export interface Moments {
  /** Unix time in ms: may be set forward or back by anybody. */
  wallMs(): number
  /** Time since the machine was started, suspended or not: Linux has it. Reads files, so not for every request. */
  boot(): BootTime | undefined
}

export const systemMoments: Moments = { wallMs: () => Date.now(), boot: bootTime }

function bootTime(): BootTime | undefined {
  try {
    const id = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    const seconds = Number.parseFloat(readFileSync('/proc/uptime', 'latin1'))
    return /^[0-9a-f-]{1,64}$/.test(id) && seconds >= 0 ? { id, ms: Math.floor(seconds * 1000) } : undefined
  } catch {
    return undefined
  }
}
