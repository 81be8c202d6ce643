/** Does operations of all kinds until it is told to stop, or is terminated. */
import { parentPort, workerData } from 'node:worker_threads'
import { Store, StoreMemoryError } from 'latchkey/store'
import type { CrewData } from './crew.js'
import { fault, frame } from './frames.js'
import { Random } from './random.js'
import { Cell, type SurvivorReport, type TerminationJob } from './termination-job.js'

const { handle, number, job } = workerData as CrewData<TerminationJob>
const { cells } = job
const store = Store.attach(handle)
const random = new Random(job.seed + number)
const tokens = new Map<string, bigint>()
const report: SurvivorReport = { faults: [], longestMs: 0, operations: 0 }

function complain(what: string): void {
  Atomics.add(cells, Cell.Faults, 1)
  report.faults.push(what)
}

function read(key: string): void {
  const entry = store.gets(key)
  if (entry === undefined) return
  const wrong = fault(key, entry.value)
  if (wrong !== undefined) complain(wrong)
  const last = tokens.get(key) ?? 0n
  if (entry.cas < last) complain(`${key}: token ${entry.cas} after ${last}`)
  tokens.set(key, entry.cas)
}

function actOnPinned(): void {
  const key = `latchkey:lock:${random.below(job.pinned)}`
  if (random.below(2) === 0) store.set(key, frame(key, random.below(60), random.below(2 ** 31)))
  else if (store.get(key) === undefined) complain(`${key} is lost`)
  else read(key)
}

function act(): void {
  const dice = random.below(100)
  const key = `key${random.below(job.keys)}`
  if (dice < 10) actOnPinned()
  else if (dice < 40) read(key)
  else if (dice < 68) store.set(key, frame(key, random.valueLength(), random.below(2 ** 31)))
  else if (dice < 74) store.append(key, frame(key, random.below(300), dice))
  else if (dice < 78) store.prepend(key, frame(key, random.below(300), dice))
  else if (dice < 84) store.add(key, frame(key, random.valueLength(), dice), { ttlMs: 20 })
  else if (dice < 88) store.delete(key)
  else if (dice < 92) store.touch(key, random.below(2) * 50)
  // Ever new small keys: the index has to split, and to be emptied again.
  else if (dice < 98) store.set(`small${random.below(1e6)}`, '1')
  else store.incr(`small${random.below(1e6)}`)
}

while (Atomics.load(cells, Cell.Stop) === 0) {
  const startMs = performance.now()
  try {
    act()
  } catch (error) {
    if (!(error instanceof StoreMemoryError)) complain(String(error))
  }
  report.longestMs = Math.max(report.longestMs, performance.now() - startMs)
  report.operations++
  Atomics.add(cells, Cell.Operations, 1)
}
store.close()
parentPort!.postMessage(report)
