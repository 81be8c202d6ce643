/** A participant, as the laboratory has it: a process, or a thread of this one. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { LaboratoryError } from './errors.js'
import type { Estate } from './estate.js'
import type { Order, Report } from './messages.js'

const program = new URL('./participant.js', import.meta.url)
/** Of old objects: what heap pressure keeps, with some room. */
const HEAP_MIB = 512
/** An order that takes longer than this will never be carried out. Milliseconds. */
const HANG_MS = 20_000

export abstract class Member {
  /** Of what it reports. */
  listener: (report: Report) => void = () => {}
  /** Settles when it has ended, with why that was. */
  readonly ended: Promise<string>
  #alive = true

  protected constructor(ended: Promise<string>) {
    this.ended = ended.then((why) => {
      this.#alive = false
      return why
    })
  }

  get alive(): boolean {
    return this.#alive
  }

  abstract order(order: Order): void
  /** At once, whatever it is doing. */
  abstract kill(): Promise<void>
  /** Nothing of it runs. Only of a process. */
  abstract stop(): void
  abstract resume(): void

  /** Its next report of this kind. Rejects with LaboratoryError when it fails, ends, or does not answer. */
  async next(is: Report['is']): Promise<void> {
    const { listener } = this
    let late: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        const fail = (why: string) => reject(new LaboratoryError(`a participant is not ${is}: ${why}`))
        late = setTimeout(fail, HANG_MS, `nothing for ${HANG_MS} ms`)
        void this.ended.then(fail)
        this.listener = (report) => {
          listener(report)
          if (report.is === is) resolve()
          if (report.is === 'failed') fail(report.why)
        }
      })
    } finally {
      clearTimeout(late)
      this.listener = listener
    }
  }
}

export class ProcessMember extends Member {
  readonly #child: ChildProcess

  constructor(catalogue: string, estate: Estate) {
    // In a session of its own: the terminal's signals are for the laboratory.
    const child = fork(fileURLToPath(program), [catalogue], {
      detached: true,
      execArgv: [`--max-old-space-size=${HEAP_MIB}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    estate.adopt(child)
    super(endOf(child))
    this.#child = child
    child.on('message', (report: Report) => this.listener(report))
  }

  order(order: Order): void {
    // Whoever is dead hears nothing.
    if (this.#child.connected) this.#child.send(order, () => {})
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  stop(): void {
    this.#child.kill('SIGSTOP')
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }
}

export class ThreadMember extends Member {
  readonly #worker: Worker

  /** `adopt` watches over the thread for the store. */
  constructor(catalogue: string, adopt: (worker: Worker) => void) {
    const worker = new Worker(program, { workerData: catalogue, resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB } })
    adopt(worker)
    super(
      Promise.race([
        once(worker, 'exit').then(([code]) => `its thread ended with ${code}`),
        new Promise<string>((resolve) => worker.once('error', (error) => resolve(`${error}`))),
      ]),
    )
    this.#worker = worker
    worker.on('message', (report: Report) => this.listener(report))
  }

  order(order: Order): void {
    this.#worker.postMessage(order)
  }

  async kill(): Promise<void> {
    await this.#worker.terminate()
    await this.ended
  }

  stop(): void {
    throw new LaboratoryError('a thread cannot be stopped')
  }

  resume(): void {}
}

/** All that it has reported has been heard by then. */
async function endOf(child: ChildProcess): Promise<string> {
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000)
  })
  const failed = new Promise<string>((resolve) => child.once('error', (error) => resolve(`${error}`)))
  const closed = Promise.all([once(child, 'close'), once(child, 'disconnect')])
  return Promise.race([failed, closed.then(([[code, signal]]) => `it ended with ${signal ?? code}. ${said}`)])
}
