import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds that a fault lasts: no reason for a program to go on. */
export async function lasting(ms: number): Promise<void> {
  await sleep(ms, undefined, { ref: false })
}
