import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Answer, Order } from './generator.js'
import type { Span } from './load.js'

const patienceMs = 60_000

/** The parent's end of the generator: one order at a time. */
export class RemoteGenerator {
  readonly #child: ChildProcess

  constructor(core: number) {
    const script = join(import.meta.dirname, 'generator.js')
    const argv = ['-c', String(core), process.execPath, script]
    this.#child = spawn('taskset', argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  }

  /** Rejects when the generator reports an error, ends, or does not answer within a minute. */
  order(order: Order): Promise<Span | undefined> {
    return new Promise((resolve, reject) => {
      const settle = (error: Error | undefined, span?: Span) => {
        clearTimeout(timer)
        this.#child.off('message', onMessage).off('exit', onExit)
        if (error === undefined) resolve(span)
        else reject(error)
      }
      const onMessage = (answer: Answer) =>
        settle(answer.error === undefined ? undefined : new Error(answer.error), answer.span)
      const onExit = () => settle(new Error('the load generator ended'))
      const timer = setTimeout(() => settle(new Error(`no answer to ${JSON.stringify(order)}`)), patienceMs)
      this.#child.on('message', onMessage).on('exit', onExit)
      this.#child.send(order)
    })
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect()
    this.#child.kill()
  }
}
