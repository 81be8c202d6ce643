/** Does random operations on a few keys and writes down when each began and ended, and what it answered. */
import { parentPort, workerData } from 'node:worker_threads'
import {
  arithmeticOptions,
  Bytes,
  type ItemView,
  Outcome,
  readOptions,
  removeOptions,
  Table,
  WriteMode,
  writeOptions,
} from 'latchkey/store'
import type { CrewData } from './crew.js'
import type { Operation } from './history.js'
import { meet } from './meet.js'
import { Random } from './random.js'

export interface LinearizabilityJob {
  readonly seed: number
  readonly rounds: number
  readonly keys: number
  /** One cell, that all threads count up: the clock. */
  readonly clock: Int32Array
  readonly gate: Int32Array
  readonly threads: number
  /** Bytes of strangers' items stored between the operations, so that items are evicted; 0 for none. */
  readonly churnBytes: number
}
export type Recorded = Operation & { key: string }

const { handle, number, job } = workerData as CrewData<LinearizabilityJob>
const table = Table.attach(handle)
const random = new Random(job.seed + number)
const key = table.newKey()
const history: Recorded[] = []
let seen: { value: string; token: bigint } | undefined
const reader = {
  item(view: ItemView) {
    const target = Bytes.allocate(view.valueLength)
    view.copyValue(target, 0)
    seen = { value: Buffer.from(target.u8).toString(), token: view.cas }
  },
}
const tokens = new Map<string, bigint>()

function use(name: string): void {
  const bytes = Buffer.from(name)
  key.setBytes(new Bytes(bytes), 0, bytes.length)
}

function write(text: string, mode: WriteMode, compareCas: bigint | undefined): Outcome {
  const bytes = Buffer.from(text)
  return table.write(key, new Bytes(bytes), 0, bytes.length, { ...writeOptions(), mode, compareCas }, reader)
}

function act(kind: Operation['kind'], value: string, compare: bigint | undefined): { done: boolean; exists?: boolean } {
  if (kind === 'get') return { done: table.read(key, readOptions(), reader) }
  if (kind === 'set') return { done: write(value, WriteMode.Set, undefined) === Outcome.Done }
  if (kind === 'add') return { done: write(value, WriteMode.Add, undefined) === Outcome.Done }
  if (kind === 'delete') return { done: table.remove(key, removeOptions()) === Outcome.Done }
  if (kind === 'incr') return { done: table.arithmetic(key, arithmeticOptions(), reader) === Outcome.Done }
  const outcome = write(value, WriteMode.Set, compare)
  return { done: outcome === Outcome.Done, exists: outcome === Outcome.Exists }
}

function churn(): void {
  use(`stranger${number}-${random.below(1e9)}`)
  table.write(key, Bytes.allocate(job.churnBytes), 0, job.churnBytes, writeOptions())
}

for (let round = 0; round < job.rounds; round++) {
  // All begin a round together: that is when operations overlap.
  meet(job.gate, job.threads * (round + 1))
  for (let i = 0; i < 8; i++) {
    const name = `key${(round * 8 + i) % job.keys}`
    const kind = random.pick(['get', 'get', 'set', 'cas', 'cas', 'add', 'delete', 'incr'] as const)
    const compare = tokens.get(name) ?? 1n
    const value = String(random.below(1e6) + 1000)
    table.tick()
    if (job.churnBytes > 0) churn()
    use(name)
    seen = undefined
    const start = Atomics.add(job.clock, 0, 1)
    const answer = act(kind, value, compare)
    const end = Atomics.add(job.clock, 0, 1)
    const shown = seen as { value: string; token: bigint } | undefined
    if (shown !== undefined) tokens.set(name, shown.token)
    history.push({ key: name, thread: number, start, end, kind, ...answer, ...shown, compare })
  }
}
table.close()
parentPort!.postMessage(history)
