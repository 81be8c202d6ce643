/** The guard, as `latchkey lock` has it. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { endGroup } from './group.js'
import type { Ending, News, Order } from './messages.js'

type RunOrder = Extract<Order, { order: 'run' }>

export class GuardError extends Error {}

export class Guard {
  readonly #process: ChildProcess
  readonly #gone: Promise<unknown>
  #isUsed = false
  #command: number | undefined
  #ending: Ending | undefined

  /** Starts it, in the background: it takes as long as a Node process does, and so does acquiring a lock. */
  constructor() {
    // In a session of its own no terminal reaches it, and options of this process, such as --inspect, are not its.
    this.#process = fork(fileURLToPath(new URL('./guard.js', import.meta.url)), { detached: true, execArgv: [] })
    const failed = once(this.#process, 'error')
    // All that it has said has arrived once the channel is closed.
    this.#gone = Promise.race([failed, Promise.all([once(this.#process, 'exit'), once(this.#process, 'disconnect')])])
    this.#gone.catch(() => {})
  }

  /** Runs the command to its end. `onStopping`: the guard has begun to stop it. Rejects with a `GuardError`. */
  async run(order: RunOrder, onStopping: () => void): Promise<Ending> {
    this.#isUsed = true
    this.#process.on('message', (news: News) => {
      if (news.news === 'started') this.#command = news.pid
      else if (news.news === 'stopping') onStopping()
      else this.#ending = news.ending
    })
    this.order(order)
    await this.#gone
    if (this.#ending !== undefined) return this.#ending
    // Nobody but us is left to stop it.
    if (this.#command !== undefined) await endGroup(this.#command, order.terms.killAfterMs)
    throw new GuardError('the guard of the command has died, and the command was stopped')
  }

  /** Lost when the guard is gone, which `run` tells. */
  order(order: Order): void {
    if (this.#process.connected) this.#process.send(order, () => {})
  }

  /** Ends it, unless it was given something to run: then it ends with that. */
  async dismiss(): Promise<void> {
    if (!this.#isUsed) this.#process.kill('SIGKILL')
    await this.#gone
  }
}
