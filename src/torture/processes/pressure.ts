/** Troubles that a participant makes itself when it is told to. */
import { setImmediate as turn } from 'node:timers/promises'
import { nowMs } from './messages.js'

/** The event loop stands still: nothing else runs in this thread. */
export function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** Some 100 MB of small objects: the collector takes a few hundred milliseconds for a full round. */
const RETAINED = 1_000_000
const AT_A_TIME = 20_000

interface Link {
  readonly before: Link | undefined
  readonly payload: number[]
}

let until = 0

/** Objects are made as fast as others run between, and kept until there are many, over and over. Told so twice, it goes on for longer. */
export async function pressHeap(ms: number): Promise<void> {
  const isPressing = until > nowMs()
  until = Math.max(until, nowMs() + ms)
  if (isPressing) return
  let last: Link | undefined
  for (let made = 0; nowMs() < until; made += AT_A_TIME) {
    if (made >= RETAINED) {
      made = 0
      last = undefined
    }
    for (let i = 0; i < AT_A_TIME; i++) last = { before: last, payload: [i] }
    await turn()
  }
}

/** The heap is left alone from now on. */
export function relieveHeap(): void {
  until = 0
}
