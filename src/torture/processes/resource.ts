/** What is guarded: a database with one list of ids, in the laboratory, so that nothing that befalls a participant befalls it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, Question } from './messages.js'

/** A step takes 1 to 4 ms, of which half is before it is carried out. */
const LEAST_MS = 1
const SPREAD_MS = 3

export class Database {
  #ids: readonly string[] = []
  #greatest = 0n

  get ids(): readonly string[] {
    return this.#ids
  }

  async ask(question: Question): Promise<Answer> {
    const halfMs = (LEAST_MS + Math.random() * SPREAD_MS) / 2
    await sleep(halfMs)
    const answer = this.#carryOut(question)
    await sleep(halfMs)
    return answer
  }

  /** Without a fence nothing is refused: there are those who never heard of such a thing. */
  #carryOut({ number, fence, ids }: Question): Answer {
    if (fence !== undefined) {
      if (BigInt(fence) < this.#greatest) return { number, stale: { fence, newer: `${this.#greatest}` } }
      this.#greatest = BigInt(fence)
    }
    if (ids === undefined) return { number, ids: this.#ids }
    this.#ids = [...ids]
    return { number }
  }
}
