/** A crew of worker threads. Each has a laboratory of its own and takes one share at a time. */
import { Worker } from 'node:worker_threads'
import type { Crew, Share } from './crew.js'
import { failureOf, noRuns, sum, type Tally } from './tally.js'

/** More makes fewer messages, less an earlier end when it is stopped. */
const seedsInAShare = 8

/** `script` calls `serveShares`. A thread that dies costs its share, which is told as a failure of the laboratory, and is replaced. */
export function threadedCrew(count: number, script: URL): Crew {
  const threads = Array.from({ length: count }, () => new Thread(script))
  return {
    atOnce: count,
    shareOf: seedsInAShare,
    workOff: (share) => threads.find((thread) => !thread.busy)!.workOff(share),
    close: async () => void (await Promise.all(threads.map((thread) => thread.close()))),
  }
}

class Thread {
  readonly #script: URL
  #worker: Worker | undefined
  #share: Share | undefined
  #answer: ((tally: Tally) => void) | undefined

  constructor(script: URL) {
    this.#script = script
  }

  get busy(): boolean {
    return this.#share !== undefined
  }

  workOff(share: Share): Promise<Tally> {
    this.#share = share
    this.#worker ??= this.#start()
    this.#worker.postMessage(share)
    return new Promise((resolve) => {
      this.#answer = resolve
    })
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #start(): Worker {
    const worker = new Worker(this.#script)
    let why: string | undefined
    worker.on('message', (tally: Tally) => this.#answered(tally))
    // What it died of comes first, that it has ended comes last.
    worker.on('error', (error: unknown) => {
      why = error instanceof Error ? error.message : String(error)
    })
    worker.once('exit', (code) => {
      this.#worker = undefined
      if (this.#share !== undefined) {
        this.#answered(allFailed(this.#share, `the thread died: ${why ?? `exit code ${code}`}`))
      }
    })
    return worker
  }

  #answered(tally: Tally): void {
    this.#share = undefined
    this.#answer!(tally)
  }
}

function allFailed({ seeds }: Share, text: string): Tally {
  return seeds.reduce((tally, seed) => sum(tally, failureOf({ seed, text })), noRuns)
}
