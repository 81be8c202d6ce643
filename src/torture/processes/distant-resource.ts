/** The resource, as a participant has it: it lives in the laboratory. */
import { StaleFenceError } from '../../locks/index.js'
import type { Resource, Transaction } from '../algorithm.js'
import type { Answer, Question } from './messages.js'

type Asked = (answer: Answer) => void

export class DistantResource implements Resource {
  readonly #send: (question: Question) => void
  readonly #asked = new Map<number, Asked>()
  #number = 0

  constructor(send: (question: Question) => void) {
    this.#send = send
  }

  async read(fence?: bigint): Promise<readonly string[]> {
    return (await this.#ask({ fence: fence?.toString() })) ?? []
  }

  async write(ids: readonly string[], fence?: bigint): Promise<void> {
    await this.#ask({ ids, fence: fence?.toString() })
  }

  /** Others see what is committed, and the transaction what it has written itself. */
  begin(): Transaction {
    let written: readonly string[] | undefined
    return {
      read: async () => written ?? (await this.read()),
      write: async (ids) => {
        written = [...ids]
      },
      commit: async () => {
        if (written !== undefined) await this.write(written)
      },
    }
  }

  /** To a question of an earlier job there may be nobody left. */
  hear(answer: Answer): void {
    this.#asked.get(answer.number)?.(answer)
    this.#asked.delete(answer.number)
  }

  #ask(asked: Omit<Question, 'number'>): Promise<readonly string[] | undefined> {
    const number = this.#number++
    return new Promise((resolve, reject) => {
      this.#asked.set(number, ({ ids, stale }) => {
        if (stale === undefined) resolve(ids)
        else reject(new StaleFenceError('the resource', BigInt(stale.fence), BigInt(stale.newer)))
      })
      this.#send({ number, ...asked })
    })
  }
}
