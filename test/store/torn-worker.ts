/** Sets, appends, deletes and reads framed values of all sizes, and tells of every value that is not whole. */
import { parentPort, workerData } from 'node:worker_threads'
import { Store, StoreMemoryError } from 'latchkey/store'
import type { CrewData } from './crew.js'
import { fault, frame } from './frames.js'
import { Random } from './random.js'

export interface TornJob {
  readonly operations: number
  readonly keys: number
  readonly seed: number
}
export interface TornResult {
  hits: number
  refused: number
  faults: string[]
}

const { handle, number, job } = workerData as CrewData<TornJob>
const store = Store.attach(handle)
const random = new Random(job.seed + number)
const result: TornResult = { hits: 0, refused: 0, faults: [] }

function check(key: string, value: Uint8Array | undefined): void {
  if (value === undefined) return
  result.hits++
  const wrong = fault(key, value)
  if (wrong !== undefined) result.faults.push(wrong)
}

function act(): void {
  const key = `key${random.below(job.keys)}`
  const dice = random.below(100)
  if (dice < 50) check(key, store.get(key))
  else if (dice < 75) store.set(key, frame(key, random.valueLength(), random.below(2 ** 31)))
  else if (dice < 80) store.append(key, frame(key, random.below(300), dice))
  else if (dice < 84) store.prepend(key, frame(key, random.below(300), dice))
  else if (dice < 88) store.add(key, frame(key, random.valueLength(), dice), { ttlMs: 20 })
  else if (dice < 92) store.delete(key)
  else if (dice < 96) store.touch(key, random.below(2) * 50)
  else {
    const entry = store.gets(key)
    check(key, entry?.value)
    if (entry !== undefined) store.cas(key, frame(key, entry.value.length % 9000, dice), entry.cas, { flags: dice })
  }
}

for (let i = 0; i < job.operations; i++) {
  try {
    act()
  } catch (error) {
    if (!(error instanceof StoreMemoryError)) throw error
    result.refused++
  }
}
store.close()
parentPort!.postMessage(result)
