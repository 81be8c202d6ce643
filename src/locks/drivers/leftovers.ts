/**
 * Registers that are over, on engines where nothing ends by itself: whoever begins one looks at a few others. So there is never much more
 * that is over than what is not, and nobody has to look at all of them at once.
 */
import type { Call } from '../driver.js'

/** If more than a quarter is over, more is taken away than is begun. */
const LOOKS = 4

export class Leftovers {
  readonly #list: (call: Call) => Promise<readonly string[]>
  readonly #look: (name: string, call: Call) => Promise<unknown>
  #left: string[] = []
  #work: Promise<void> | undefined

  /** `look` takes away what it is told of if that is over. */
  constructor(list: (call: Call) => Promise<readonly string[]>, look: (name: string, call: Call) => Promise<unknown>) {
    this.#list = list
    this.#look = look
  }

  /** Nobody waits for it, and it may fail. One at a time. */
  oneMore({ clock, deadlineMs }: Call): void {
    this.#work ??= this.#tidy({ clock, deadlineMs })
      .catch(() => {})
      .finally(() => {
        this.#work = undefined
      })
  }

  async settled(): Promise<void> {
    await this.#work
  }

  /** From anywhere among all: programs that begin but one register do not all look at the same. */
  async #tidy(call: Call): Promise<void> {
    if (this.#left.length === 0) {
      const all = await this.#list(call)
      const from = Math.floor(Math.random() * all.length)
      this.#left = [...all.slice(from), ...all.slice(0, from)]
    }
    for (const name of this.#left.splice(0, LOOKS)) await this.#look(name, call)
  }
}
