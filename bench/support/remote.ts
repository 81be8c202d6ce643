import { type ChildProcess, spawn } from 'node:child_process'

const patienceMs = 60_000

/** What goes back over the channel; an order without a result is answered with an empty object. */
interface Answer<Result> {
  result?: Result
  error?: string
}

/** A script in a process of its own, on a core of its own or on any, that obeys one order at a time. */
export class Remote<Order, Result> {
  readonly #child: ChildProcess
  readonly #name: string

  constructor(script: string, name: string, core: number | undefined, args: readonly string[] = []) {
    const argv = [process.execPath, script, ...args]
    const [command, ...rest] = core === undefined ? argv : ['taskset', '-c', String(core), ...argv]
    this.#child = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#name = name
  }

  /** Rejects when the process reports an error, ends, or does not answer within a minute. */
  order(order: Order): Promise<Result | undefined> {
    return new Promise((resolve, reject) => {
      const settle = (error: Error | undefined, result?: Result) => {
        clearTimeout(timer)
        this.#child.off('message', onMessage).off('exit', onExit)
        if (error === undefined) resolve(result)
        else reject(error)
      }
      const onMessage = ({ error, result }: Answer<Result>) =>
        settle(error === undefined ? undefined : new Error(`${this.#name}: ${error}`), result)
      const onExit = () => settle(new Error(`${this.#name} has ended`))
      const timer = setTimeout(
        () => settle(new Error(`${this.#name}: no answer to ${JSON.stringify(order)}`)),
        patienceMs,
      )
      this.#child.on('message', onMessage).on('exit', onExit)
      this.#child.send(order as object)
    })
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect()
    this.#child.kill()
  }
}

/** The other end, called by the script: answers every order with what `obey` makes of it, and ends with its parent. */
export function obeyOrders<Order, Result>(obey: (order: Order) => Promise<Result | undefined>): void {
  const answer = (message: Answer<Result>) => void process.send!(message)
  process.on('message', (order: Order) => {
    obey(order).then(
      (result) => answer(result === undefined ? {} : { result }),
      (error: Error) => answer({ error: error.message }),
    )
  })
  process.on('disconnect', () => process.exit())
}
