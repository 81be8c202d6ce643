/** A participant's part of a run: its rounds, one after the other. */
import type { Algorithm, Task } from '../algorithm.js'
import type { Round } from '../plan.js'
import type { OpenHands } from './hands.js'
import { type Job, nowMs, type Report } from './messages.js'

export class Play {
  readonly #algorithm: Algorithm
  readonly #job: Job
  readonly #hands: OpenHands
  readonly #tell: (report: Report) => void
  #round = new AbortController()

  constructor(algorithm: Algorithm, job: Job, hands: OpenHands, tell: (report: Report) => void) {
    this.#algorithm = algorithm
    this.#job = job
    this.#hands = hands
    this.#tell = tell
  }

  /** From `at` on. */
  async run(at: number): Promise<void> {
    await this.#hands.sleep(at - nowMs())
    for (const [number, round] of this.#job.rounds.entries()) {
      this.#round = new AbortController()
      await this.#hands.sleep(round.afterMs)
      await this.#change(`${this.#job.who}.${number}`, round)
    }
    this.#tell({ is: 'played' })
  }

  /** The caller of the round that is under way gives up. */
  abort(): void {
    this.#round.abort(new Error('the caller has given up'))
  }

  async #change(id: string, { workMs }: Round): Promise<void> {
    const { lock: name, ttlMs, waitMs } = this.#job
    const task: Task = { name, id, ttlMs, waitMs, signal: this.#round.signal, work: () => this.#hands.sleep(workMs) }
    this.#tell({ is: 'began', at: nowMs(), id })
    try {
      const outcome = await this.#algorithm.change(this.#hands, task)
      this.#tell({ is: 'ended', at: nowMs(), id, outcome })
    } catch (error) {
      this.#tell({ is: 'ended', at: nowMs(), id, outcome: 'failed', why: textOf(error) })
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
