/** The helper thread as seen from the thread that it works for: started when first needed, and started anew when it has died. */
import { Worker } from 'node:worker_threads'
import { LockArgumentError } from '../errors.js'
import type { Site } from '../site.js'
import { Heartbeat } from './heartbeat.js'
import type { Answer, FromHelper, HelperData, ToHelper, ToldExtension } from './messages.js'

/** A renewal in flight, and then an extension or a release with all its tries, end within so many. */
const ANSWER_DEADLINES = 10

/** What is told of a lock, when it is lost, and when the thread has died. */
interface Kept {
  lose(why: string): void
  tellOf(extension: ToldExtension): void
  takeOver(): void
}

/** One life of the thread. */
export class HelperThread {
  readonly #worker: Worker
  readonly #heartbeat = new Heartbeat()
  readonly #locks = new Map<number, Kept>()
  readonly #questions = new Map<number, (answer: Answer | undefined) => void>()
  readonly #ready: Promise<void>
  readonly #exited: Promise<void>
  /** Its driver may take so long to close. */
  readonly #closeMs: number
  readonly #answerMs: number
  #lastNumber = 0
  #dead = false

  /** Throws LockArgumentError for a driver that cannot be made again in another thread. */
  constructor(site: Site) {
    const { remake } = site.driver
    if (remake === undefined) {
      throw new LockArgumentError(
        `renew: 'thread' needs a driver that can be made again in a thread; ${site.driver.kind} cannot`,
      )
    }
    const { prefix, deadlineMs } = site
    this.#closeMs = 2 * deadlineMs
    this.#answerMs = ANSWER_DEADLINES * deadlineMs
    const workerData: HelperData = { ...remake, prefix, deadlineMs, heartbeat: this.#heartbeat.buffer }
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), { workerData, name: 'latchkey locks' })
    this.#worker.on('message', (message: FromHelper) => this.#hear(message))
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve(this.#die())))
    this.#ready = this.#started()
    this.#ready.catch(() => {})
  }

  get isDead(): boolean {
    return this.#dead
  }

  /** Rejects with LockArgumentError when it cannot be started. */
  ready(): Promise<void> {
    return this.#ready
  }

  /** Returns the lock's number. */
  enter(lock: Kept): number {
    const number = ++this.#lastNumber
    this.#locks.set(number, lock)
    this.#heartbeat.start()
    return number
  }

  leave(lock: number): void {
    this.#locks.delete(lock)
    if (this.#locks.size === 0) this.#heartbeat.stop()
  }

  tell(message: ToHelper): void {
    this.#worker.postMessage(message)
  }

  /**
   * undefined when the thread has died, or dies before it answers. One that does not answer in the time in which the server would
   * have been given up several times over hangs, and is as good as dead.
   */
  ask(message: (question: number) => ToHelper): Promise<Answer | undefined> {
    if (this.#dead) return Promise.resolve(undefined)
    const question = ++this.#lastNumber
    return new Promise((resolve) => {
      // When this thread was blocked for so long, the answer may be there, unread: messages have their turn first.
      const patience = setTimeout(() => setImmediate(() => this.#giveUp(question)), this.#answerMs)
      this.#questions.set(question, (answer) => {
        clearTimeout(patience)
        resolve(answer)
      })
      // While somebody waits for an answer, the process must not end for want of work.
      this.#worker.ref()
      this.tell(message(question))
    })
  }

  /** When all its locks are released. */
  async close(): Promise<void> {
    this.#heartbeat.stop()
    if (this.#dead) return
    this.#worker.ref()
    this.tell({ kind: 'close' })
    const patience = setTimeout(() => this.#worker.terminate(), this.#closeMs)
    await this.#exited
    clearTimeout(patience)
  }

  #started(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.once('message', () => {
        this.#worker.unref()
        resolve()
      })
      this.#worker.once('error', (cause) => reject(notStarted(cause instanceof Error ? cause.message : String(cause))))
      this.#worker.once('exit', () => reject(notStarted('it has ended')))
    })
  }

  #hear(message: FromHelper): void {
    // Its locks have another keeper: to one that was given up, that one's extensions look like a loss.
    if (this.#dead) return
    if (message.kind === 'lost') this.#locks.get(message.lock)?.lose(message.why)
    if (message.kind === 'extension') this.#locks.get(message.lock)?.tellOf(message.told)
    if (message.kind === 'answer') this.#settle(message.question, message.answer)
  }

  #settle(question: number, answer: Answer | undefined): void {
    this.#questions.get(question)?.(answer)
    this.#questions.delete(question)
    if (this.#questions.size === 0) this.#worker.unref()
  }

  #giveUp(question: number): void {
    if (!this.#questions.has(question)) return
    this.#die()
    void this.#worker.terminate()
  }

  #die(): void {
    if (this.#dead) return
    this.#dead = true
    this.#heartbeat.stop()
    for (const lock of this.#locks.values()) lock.takeOver()
    for (const question of [...this.#questions.keys()]) this.#settle(question, undefined)
  }
}

function notStarted(why: string): LockArgumentError {
  return new LockArgumentError(`the helper thread does not start: ${why}`)
}
