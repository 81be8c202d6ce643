/** Time, chance and who we are, passed in so that tests can have their own. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { LeaseClock } from './clock.js'
import type { Clock } from './driver.js'

/** What a timer of Node can wait. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export interface Environment {
  readonly clock: Clock
  /** Unix time in milliseconds, to be shown to people. */
  wallMs(): number
  /** Runs once, after so many milliseconds or, past 24 days, earlier. Returns how to call it off. */
  timer(ms: number, run: () => void, keepAlive: boolean): () => void
  /** From 0, below 1. */
  random(): number
  /** 128 random bits in hexadecimal. */
  owner(): string
  readonly host: string
  readonly pid: number
}

/** The real one. */
export function systemEnvironment(): Environment {
  return {
    clock: new LeaseClock(),
    wallMs: () => Date.now(),
    timer: systemTimer,
    random: () => Math.random(),
    owner: owners(),
    host: hostname(),
    pid: process.pid,
  }
}

const OWNER_BYTES = 16
/** Drawing the bytes of a few hundred owners costs no more than drawing those of one. */
const OWNERS = 256

function owners(): () => string {
  let bytes = Buffer.alloc(0)
  let at = 0
  return () => {
    if (at === bytes.length) {
      bytes = randomBytes(OWNERS * OWNER_BYTES)
      at = 0
    }
    at += OWNER_BYTES
    return bytes.toString('hex', at - OWNER_BYTES, at)
  }
}

export function systemTimer(ms: number, run: () => void, keepAlive: boolean): () => void {
  const timer = setTimeout(run, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS))
  if (!keepAlive) timer.unref()
  return () => clearTimeout(timer)
}
