/** The races of threads.test.ts, one worker's part of each. */
import { parentPort, workerData } from 'node:worker_threads'
import { Store } from 'latchkey/store'
import type { CrewData } from './crew.js'
import { meet } from './meet.js'

export interface RaceJob {
  readonly race: 'incr' | 'add' | 'cas' | 'append'
  readonly rounds: number
  readonly threads: number
  readonly gate: Int32Array
  /** A cell a round: how often the add of that round was won. */
  readonly wins: Int32Array
}

const { handle, number, job } = workerData as CrewData<RaceJob>
const store = Store.attach(handle)
let longestMs = 0

/** As a fixed-width word, so that a lost or torn append shows. */
const word = (i: number) => `${number}:${String(i).padStart(6, '0')};`

function act(round: number): void {
  if (job.race === 'incr') store.incr('counter')
  else if (job.race === 'append') store.append('list', word(round))
  else if (job.race === 'add') {
    if (store.add(`round${round}`, String(number))) Atomics.add(job.wins, round, 1)
  } else {
    for (;;) {
      const entry = store.gets('swapped')!
      const next = String(Number(Buffer.from(entry.value).toString()) + 1)
      if (store.cas('swapped', next, entry.cas) === 'stored') return
    }
  }
}

meet(job.gate, job.threads)
for (let round = 0; round < job.rounds; round++) {
  const startMs = performance.now()
  act(round)
  longestMs = Math.max(longestMs, performance.now() - startMs)
  // Kept together, or the first would be done before the last begins.
  if (round % 500 === 499) meet(job.gate, job.threads * (2 + Math.floor(round / 500)))
}
store.close()
parentPort!.postMessage(longestMs)
