/** How a lock ended, which happens once: what is lost is not released later, and the other way round. */
import { LockLostError } from './errors.js'

export class Ending {
  readonly #name: string
  readonly #whenEnded: (why: string) => void
  readonly #lost = new AbortController()
  #end: { readonly state: 'lost' | 'released'; readonly error: LockLostError } | undefined

  constructor(name: string, whenEnded: (why: string) => void) {
    this.#name = name
    this.#whenEnded = whenEnded
  }

  /** undefined before it has ended. */
  get state(): 'lost' | 'released' | undefined {
    return this.#end?.state
  }

  get error(): LockLostError | undefined {
    return this.#end?.error
  }

  /** Aborts when it is lost. */
  get signal(): AbortSignal {
    return this.#lost.signal
  }

  end(state: 'lost' | 'released', why: string): void {
    if (this.#end !== undefined) return
    this.#end = { state, error: new LockLostError(this.#name, why) }
    this.#whenEnded(why)
    // Everything is in order before a listener runs, whatever that does.
    if (state === 'lost') this.#lost.abort(this.#end.error)
  }
}
