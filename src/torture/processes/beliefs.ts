/** Tells the laboratory what a participant believes, so that it is known also of one that is stopped or killed a moment later. */
import type { Belief, Holding } from '../algorithm.js'
import { type Believing, nowMs } from './messages.js'

/** A lease is asked so often how much of it is left: its holder may have lost it. Milliseconds. */
const ASK_MS = 20

export class Beliefs {
  readonly #tell: (report: Believing) => void
  #count = 0

  /** `tell` has handed the report to the system when it returns. */
  constructor(tell: (report: Believing) => void) {
    this.#tell = tell
  }

  begin({ fence, owner, remainingMs }: Holding = {}): Belief {
    const belief = this.#count++
    // Time first: what is left is counted from then, and a stop in between would make it look longer.
    const left = () => ({ at: nowMs(), belief, leftMs: remainingMs?.() })
    this.#tell({ is: 'believes', ...left(), fence: fence?.toString(), owner })
    const asking = remainingMs && setInterval(() => this.#tell({ is: 'still', ...left() }), ASK_MS).unref()
    return {
      end: () => {
        clearInterval(asking)
        this.#tell({ is: 'doubts', ...left() })
      },
    }
  }
}
