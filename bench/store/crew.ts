import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { WorkerAnswer, WorkerTask } from './worker.js'

const workerFile = join(import.meta.dirname, 'worker.js')
const size = 2

/** Two threads with one task, kept for all its measurements. */
export class Crew {
  readonly workers: readonly Worker[]

  constructor(task: Omit<WorkerTask, 'seed'>) {
    this.workers = Array.from({ length: size }, (_, index) => {
      const workerData: WorkerTask = { ...task, seed: index + 1 }
      return new Worker(workerFile, { workerData })
    })
  }

  /** Million operations a second, summed over the first `threads` threads working at once. */
  async run(threads: number, durationMs: number): Promise<number> {
    const busy = this.workers.slice(0, threads)
    const answers = busy.map((worker) => once(worker, 'message') as Promise<[WorkerAnswer]>)
    for (const worker of busy) worker.postMessage({ durationMs })
    const rates = (await Promise.all(answers)).map(([{ operations, elapsedMs }]) => operations / elapsedMs / 1000)
    return rates.reduce((sum, rate) => sum + rate, 0)
  }

  async stop(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()))
  }
}
