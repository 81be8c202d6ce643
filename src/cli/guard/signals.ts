/** The signals that people, systemd and cron send to end or tell a program something. */

const CAUGHT = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const

/**
 * Until the command runs, a signal ends the waiting for it. From then on every one is the command's, which knows what it means; so
 * is a second SIGINT, and none is ever turned into SIGKILL: whoever sends them does not expect that of a program in between.
 */
export class Signals {
  readonly #waiting = new AbortController()
  #forward: ((signal: NodeJS.Signals) => void) | undefined
  #first: NodeJS.Signals | undefined

  constructor() {
    for (const signal of CAUGHT) process.on(signal, () => this.#take(signal))
  }

  /** Aborts when a signal comes before `forwardTo` was called. */
  get waiting(): AbortSignal {
    return this.#waiting.signal
  }

  /** The one that ended the waiting. */
  get first(): NodeJS.Signals | undefined {
    return this.#first
  }

  forwardTo(forward: (signal: NodeJS.Signals) => void): void {
    this.#forward = forward
  }

  #take(signal: NodeJS.Signals): void {
    if (this.#forward !== undefined) this.#forward(signal)
    else {
      this.#first ??= signal
      this.#waiting.abort(new Error(`ended by ${signal}`))
    }
  }
}
