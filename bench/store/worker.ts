/** One thread of the embedded benchmark: told to, it operates for a while, and says how often. */
import { parentPort, workerData } from 'node:worker_threads'
import type { StoreHandle } from 'latchkey/store'
import { seededRandom } from '../support/random.js'
import { storeSubject, tableSubject } from './engine.js'
import { RawTable } from './raw-table.js'
import { keyCount, type Level, type Subject, valueBytes } from './subject.js'

/** What a worker is for, all its life: it then compiles for one level alone, as a program that uses it would. */
export interface WorkerTask {
  level: Level
  operation: 'get' | 'set'
  handle: unknown
  seed: number
}

export interface WorkerOrder {
  durationMs: number
}

export interface WorkerAnswer {
  operations: number
  elapsedMs: number
}

const sequenceLength = 1 << 20
const chunk = 1024

function subjectFor({ level, handle }: WorkerTask): Subject {
  if (level === 'raw') return new RawTable(handle as SharedArrayBuffer)
  if (level === 'table') return tableSubject(handle as StoreHandle)
  return storeSubject(handle as StoreHandle, level === 'store' ? 'bytes' : 'strings')
}

function measure(subject: Subject, durationMs: number): WorkerAnswer {
  const run = task.operation === 'get' ? getChunk : setChunk
  const startedAt = performance.now()
  let operations = 0
  let elapsedMs = 0
  while (elapsedMs < durationMs) {
    run(subject, operations & (sequenceLength - 1))
    operations += chunk
    elapsedMs = performance.now() - startedAt
  }
  return { operations, elapsedMs }
}

function getChunk(subject: Subject, start: number): void {
  let bytes = 0
  for (let i = 0; i < chunk; i++) bytes += subject.get(sequence[start + i])
  if (bytes !== chunk * valueBytes) throw new Error('a get missed, or gave the wrong length')
}

function setChunk(subject: Subject, start: number): void {
  for (let i = 0; i < chunk; i++) subject.set(sequence[start + i])
}

const task = workerData as WorkerTask
const random = seededRandom(task.seed)
const sequence = Uint32Array.from({ length: sequenceLength }, () => Math.floor(random() * keyCount))
const subject = subjectFor(task)
for (let item = 0; item < keyCount; item++) subject.set(item)
parentPort!.on('message', ({ durationMs }: WorkerOrder) => {
  parentPort!.postMessage(measure(subject, durationMs))
})
