import type { Store } from 'latchkey/store'
import { median, round } from '../support/statistics.js'
import { Crew } from './crew.js'
import { createStore } from './engine.js'
import { createRawTable } from './raw-table.js'
import { keyCount, type Level, levels, valueBytes } from './subject.js'

export interface StoreRow {
  level: Level
  operation: 'get' | 'set'
  /** Million operations a second, medians over the repeats. */
  oneThread: number
  twoThreads: number
  /** Two threads over one, median over the repeats. */
  scaling: number
  /** One thread's speed as a fraction of the raw-JS bound's, median over the repeats. */
  ofBound: number
}

export interface StoreResult {
  keys: number
  valueBytes: number
  rows: StoreRow[]
}

export interface StoreOptions {
  quick: boolean
  log: (line: string) => void
}

/** What one level reached in one operation, repeat by repeat. */
interface Series {
  level: Level
  operation: 'get' | 'set'
  crew: Crew
  one: number[]
  two: number[]
}

const operations = ['get', 'set'] as const
const warmUpMs = 200

export async function runStorePart(options: StoreOptions): Promise<StoreResult> {
  const store = createStore()
  const all = startAll(store)
  try {
    await measureAll(all, options.quick)
  } finally {
    await Promise.all(all.map(({ crew }) => crew.stop()))
    store.close()
  }
  const rows = all.map((series) => rowOf(series, boundOf(series, all)))
  for (const { level, operation, oneThread, twoThreads, scaling, ofBound } of rows) {
    options.log(
      `${level} ${operation}: ${oneThread} M/s, × ${ofBound} of raw; two threads ${twoThreads} (× ${scaling})`,
    )
  }
  return { keys: keyCount, valueBytes, rows }
}

function startAll(store: Store): Series[] {
  const raw = createRawTable()
  return levels.flatMap((level) =>
    operations.map((operation) => {
      const crew = new Crew({ level, operation, handle: level === 'raw' ? raw : store.handle })
      if (level !== 'raw') for (const worker of crew.workers) store.adopt(worker)
      return { level, operation, crew, one: [], two: [] }
    }),
  )
}

/** Every repeat visits every level with one thread and with two, so that what drifts drifts for all. */
async function measureAll(all: readonly Series[], quick: boolean): Promise<void> {
  const [repeats, durationMs] = quick ? [7, 100] : [15, 200]
  for (const { crew } of all) await crew.run(2, warmUpMs)
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const { crew, one, two } of all) {
      one.push(await crew.run(1, durationMs))
      two.push(await crew.run(2, durationMs))
    }
  }
}

function boundOf(series: Series, all: readonly Series[]): readonly number[] {
  return all.find(({ level, operation }) => level === 'raw' && operation === series.operation)!.one
}

function rowOf({ level, operation, one, two }: Series, bound: readonly number[]): StoreRow {
  return {
    level,
    operation,
    oneThread: round(median(one)),
    twoThreads: round(median(two)),
    scaling: round(median(two.map((rate, repeat) => rate / one[repeat]))),
    ofBound: round(median(one.map((rate, repeat) => rate / bound[repeat]))),
  }
}
