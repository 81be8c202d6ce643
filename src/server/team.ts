/** The worker threads: started, asked, replaced when one dies, drained and stopped. */
import { Worker } from 'node:worker_threads'
import type { Table } from '../store/index.js'
import type { Secrets } from './auth/secrets.js'
import type { Question } from './context.js'
import type { Listener } from './listener.js'
import type { FromWorker, ToWorker, WorkerStart } from './messages.js'
import type { Metrics } from './metrics.js'
import type { Settings } from './options.js'
import type { LockStatePlace } from './state/lock-state.js'
import { WatchDesk } from './watchers.js'

/** A worker that dies younger than this is replaced after a pause, lest a fault at start spins. */
const INFANT_MS = 1000

/** How long a worker has to answer a question of another's client. */
const ANSWER_MS = 500

interface Member {
  readonly worker: Worker
  /** Of the metrics. */
  readonly row: number
  readonly startedAtMs: number
  drained: boolean
  exited: boolean
}

export class Team {
  /** Called when a client says `shutdown`. */
  onStop: () => void = () => undefined
  /** Called when a client says `refresh_certs`. What went wrong, or nothing. */
  onRefresh: () => Promise<string> = async () => ''
  readonly #members: Member[] = []
  readonly #unanswered = new Map<number, (text: string) => void>()
  readonly #desk: WatchDesk
  #secrets: Secrets
  #lastQuestion = 0
  #stopping = false

  constructor(
    readonly settings: Settings,
    readonly table: Table,
    readonly metrics: Metrics,
    readonly listener: Listener,
    secrets: Secrets,
    readonly state: LockStatePlace | undefined,
    readonly log: (message: string) => void,
  ) {
    this.#secrets = secrets
    this.#desk = new WatchDesk(metrics, (row, message) => {
      const member = this.#members[row - 1]
      if (member !== undefined) this.#tell(member, message)
    })
  }

  /** `beforeServing` is called when all threads run and none has a connection yet. */
  async start(beforeServing: () => Promise<void> | undefined): Promise<void> {
    const ready = Array.from({ length: this.settings.threads }, (_, index) => this.#hire(index))
    const workers = await Promise.all(ready)
    await beforeServing()
    // One after the other: with port 0 the first one finds the port.
    for (const worker of workers) await this.listener.attach(worker)
  }

  /** Resolves when the thread runs. */
  #hire(index: number): Promise<Worker> {
    const data: WorkerStart = {
      settings: this.settings,
      table: this.table.handle,
      metrics: this.metrics.handle,
      secrets: this.#secrets,
      state: this.state,
      row: index + 1,
    }
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: data })
    this.table.adopt(worker)
    const member: Member = { worker, row: data.row, startedAtMs: Date.now(), drained: false, exited: false }
    this.#members[index] = member
    worker.on('error', (error) => this.log(`latchkey: worker ${index + 1} failed: ${error.stack ?? error}`))
    worker.on('exit', () => this.#left(member, index))
    return new Promise((resolve, reject) => {
      worker.on('error', reject)
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'ready') resolve(worker)
        else this.#heard(member, message)
      })
    })
  }

  #heard(member: Member, message: FromWorker): void {
    switch (message.kind) {
      case 'drained':
        member.drained = true
        break
      case 'log':
        this.log(message.text)
        break
      case 'stop':
        this.onStop()
        break
      case 'ask':
        void this.#askAll(message.question).then((text) => this.#tell(member, { kind: 'answer', id: message.id, text }))
        break
      case 'refresh':
        void this.onRefresh().then((text) => this.#tell(member, { kind: 'answer', id: message.id, text }))
        break
      case 'watch':
        this.#tell(member, {
          kind: 'answer',
          id: message.id,
          text: this.#desk.add(member.row, message.watcher, message.kinds),
        })
        break
      case 'unwatch':
        this.#desk.remove(member.row, message.watcher)
        break
      case 'events':
        this.#desk.hear(message.bundle)
        this.#tell(member, { kind: 'heard' })
        break
      case 'told':
        this.#desk.told(member.row)
        break
      case 'answer':
        this.#unanswered.get(message.id)?.(message.text)
        this.#unanswered.delete(message.id)
        break
    }
  }

  #tell(member: Member, message: ToWorker): void {
    if (!member.exited) member.worker.postMessage(message)
  }

  /** Each worker's part, joined. Who does not answer in time is left out: it has died, or is very busy. */
  async #askAll(question: Question): Promise<string> {
    const parts = this.#members.map((member) => this.#askOne(member, (id) => ({ kind: 'ask', id, question })))
    return (await Promise.all(parts)).join('')
  }

  /** Gives all workers, and those to come, what was read anew. Resolves when they use it. */
  async share(secrets: Secrets): Promise<void> {
    this.#secrets = secrets
    await Promise.all(this.#members.map((member) => this.#askOne(member, (id) => ({ kind: 'secrets', id, secrets }))))
  }

  #askOne(member: Member, message: (id: number) => ToWorker): Promise<string> {
    const id = ++this.#lastQuestion
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#unanswered.delete(id)
        resolve('')
      }, ANSWER_MS)
      this.#unanswered.set(id, (text) => {
        clearTimeout(timer)
        resolve(text)
      })
      this.#tell(member, message(id))
    })
  }

  #left(member: Member, index: number): void {
    member.exited = true
    this.listener.detach(member.worker)
    this.metrics.forgetConnections(member.row)
    this.#desk.forget(member.row)
    if (this.#stopping) return
    this.log(`latchkey: worker ${index + 1} died; starting another`)
    const pause = Date.now() - member.startedAtMs < INFANT_MS ? INFANT_MS : 0
    setTimeout(() => {
      if (!this.#stopping) void this.#replace(index)
    }, pause)
  }

  async #replace(index: number): Promise<void> {
    try {
      await this.listener.attach(await this.#hire(index))
    } catch (error) {
      this.log(`latchkey: worker ${index + 1} could not be replaced: ${error}`)
    }
  }

  async kill(index: number): Promise<void> {
    await this.#members[index]?.worker.terminate()
  }

  async drain(withinMs: number): Promise<void> {
    this.#stopping = true
    const deadline = Date.now() + withinMs
    for (const member of this.#members) this.#tell(member, { kind: 'drain' })
    while (this.#members.some(({ drained, exited }) => !drained && !exited) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await Promise.all(this.#members.map(({ worker }) => worker.terminate()))
  }
}
