import { type ChildProcess, spawn } from 'node:child_process'
import type { EventEmitter } from 'node:events'
import { parentPort, Worker } from 'node:worker_threads'

const patienceMs = 60_000

/** What goes back; an order without a result is answered with an empty object. */
interface Answer<Result> {
  result?: Result
  error?: string
}

/** A script that obeys one order at a time, somewhere else. */
export interface Obedient<Order, Result> {
  /** Rejects when it reports an error, ends, or does not answer within a minute. */
  order(order: Order): Promise<Result | undefined>
  stop(): void
}

/** In a process of its own, on a core of its own or on any. */
export class Remote<Order, Result> implements Obedient<Order, Result> {
  readonly #child: ChildProcess
  readonly #name: string

  constructor(script: string, name: string, core: number | undefined, args: readonly string[] = []) {
    const argv = [process.execPath, script, ...args]
    const [command, ...rest] = core === undefined ? argv : ['taskset', '-c', String(core), ...argv]
    this.#child = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#name = name
  }

  order(order: Order): Promise<Result | undefined> {
    return answerTo(order, this.#name, this.#child, () => this.#child.send(order as object))
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect()
    this.#child.kill()
  }
}

/** In a thread of this process, so that orders may carry shared memory. */
export class RemoteThread<Order, Result> implements Obedient<Order, Result> {
  readonly #worker: Worker
  readonly #name: string

  constructor(script: string, name: string, args: readonly string[] = []) {
    this.#worker = new Worker(script, { argv: [...args] })
    this.#name = name
  }

  order(order: Order): Promise<Result | undefined> {
    return answerTo(order, this.#name, this.#worker, () => this.#worker.postMessage(order))
  }

  stop(): void {
    void this.#worker.terminate()
  }
}

function answerTo<Result>(
  order: unknown,
  name: string,
  from: EventEmitter,
  send: () => void,
): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (error: Error | undefined, result?: Result) => {
      clearTimeout(timer)
      from.off('message', onMessage).off('error', onError).off('exit', onExit)
      if (error === undefined) resolve(result)
      else reject(error)
    }
    const onMessage = ({ error, result }: Answer<Result>) =>
      settle(error === undefined ? undefined : new Error(`${name}: ${error}`), result)
    const onError = (error: Error) => settle(new Error(`${name}: ${error.message}`))
    const onExit = () => settle(new Error(`${name} has ended`))
    const giveUp = () => settle(new Error(`${name}: no answer to ${JSON.stringify(order)}`))
    const timer = setTimeout(giveUp, patienceMs)
    from.on('message', onMessage).on('error', onError).on('exit', onExit)
    send()
  })
}

/** The other end, called by the script: answers every order with what `obey` makes of it, and ends with its parent. */
export function obeyOrders<Order, Result>(obey: (order: Order) => Promise<Result | undefined>): void {
  const parent = parentPort ?? process
  const answer = (message: Answer<Result>) =>
    parentPort === null ? void process.send!(message) : parentPort.postMessage(message)
  parent.on('message', (order: Order) => {
    obey(order).then(
      (result) => answer(result === undefined ? {} : { result }),
      (error: Error) => answer({ error: error.message }),
    )
  })
  process.on('disconnect', () => process.exit())
}
