/** Participants are processes, which take long to start: whoever has finished a run is used for another. */
import type { Estate } from './estate.js'
import { type Member, ProcessMember } from './member.js'

export class Crew {
  readonly #catalogue: string
  readonly #estate: Estate
  readonly #idle: Member[] = []

  constructor(catalogue: string, estate: Estate) {
    this.#catalogue = catalogue
    this.#estate = estate
  }

  take(number: number): Member[] {
    return Array.from({ length: number }, () => this.#takeOne())
  }

  /** Back from a run, with nothing left to do. */
  give(member: Member): void {
    member.listener = () => {}
    this.#idle.push(member)
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((member) => member.kill()))
  }

  #takeOne(): Member {
    for (let member = this.#idle.pop(); member !== undefined; member = this.#idle.pop()) if (member.alive) return member
    return new ProcessMember(this.#catalogue, this.#estate)
  }
}
