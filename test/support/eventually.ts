/** Waiting for what must come, by asking again and again. */
import { setTimeout as sleep } from 'node:timers/promises'

/** For hangs only. */
const hangMs = 30_000

/** The first answer that is neither undefined nor false; `what` is for the message when none comes. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  const giveUpAt = performance.now() + hangMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > giveUpAt) throw new Error(`never: ${what}`)
    await sleep(10)
  }
}
