/** How a lock ended, which happens once: what is lost is not released later, and the other way round. */
import { LockLostError } from './errors.js'

export class Ending {
  readonly #name: string
  readonly #whenEnded: (state: 'lost' | 'released', why: string) => void
  #end: { readonly state: 'lost' | 'released'; readonly why: string } | undefined
  // Made when somebody asks: most locks are released without either, and both cost more than all else about a lock.
  #lost: AbortController | undefined
  #error: LockLostError | undefined

  constructor(name: string, whenEnded: (state: 'lost' | 'released', why: string) => void) {
    this.#name = name
    this.#whenEnded = whenEnded
  }

  /** undefined before it has ended. */
  get state(): 'lost' | 'released' | undefined {
    return this.#end?.state
  }

  get error(): LockLostError | undefined {
    if (this.#end !== undefined) this.#error ??= new LockLostError(this.#name, this.#end.why)
    return this.#error
  }

  /** Aborts when it is lost. */
  get signal(): AbortSignal {
    if (this.#lost === undefined) {
      this.#lost = new AbortController()
      if (this.state === 'lost') this.#lost.abort(this.error)
    }
    return this.#lost.signal
  }

  end(state: 'lost' | 'released', why: string): void {
    if (this.#end !== undefined) return
    this.#end = { state, why }
    this.#whenEnded(state, why)
    // Everything is in order before a listener runs, whatever that does.
    if (state === 'lost') this.#lost?.abort(this.error)
  }
}
