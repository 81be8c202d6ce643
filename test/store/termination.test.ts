/** Workers are terminated at any moment, again and again; the others go on, and nothing is torn, lost or stuck. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { Store } from 'latchkey/store'
import { THREAD_SLOTS } from '#dist/store/layout.js'
import { Memory } from '#dist/store/memory.js'
import { compileOnOwnThread } from '../support/compiling.js'
import { chosenSeed } from '../support/seed.js'
import { start } from './crew.js'
import { fault, frame } from './frames.js'
import { violations } from './invariants.js'
import { Random } from './random.js'
import { Cell, type SurvivorReport, type TerminationJob } from './termination-job.js'

const file = new URL('./termination-worker.js', import.meta.url)
const KILLS = process.env.LATCHKEY_SOAK === '1' ? 1500 : 300
const MORTALS = 3
const PINNED = 40

compileOnOwnThread()

/** Waits until the workers have done some more operations together, or one of them is gone. */
async function untilBusy(cells: Int32Array, random: Random): Promise<void> {
  const goal = Atomics.load(cells, Cell.Operations) + random.below(3000)
  while (Atomics.load(cells, Cell.Operations) < goal) await delay(1)
}

function slotsInUse(store: Store): number {
  const memory = new Memory(store.handle.memory)
  return memory.control.subarray(memory.slotsAt, memory.slotsAt + THREAD_SLOTS).filter((word) => word !== 0).length
}

test(`${KILLS} terminations`, async (t) => {
  const store = new Store({ memory: '2mb', itemMax: '256kb' })
  const cells = new Int32Array(new SharedArrayBuffer(64))
  const job: TerminationJob = { seed: chosenSeed(), keys: 300, pinned: PINNED, cells }
  const random = new Random(job.seed)
  const keyOf = (i: number) => `latchkey:lock:${i}`
  for (let i = 0; i < PINNED; i++) store.set(keyOf(i), frame(keyOf(i), i, i))

  const survivor = start(store, file, 0, job)
  const mortals: Worker[] = []
  let number = 1
  for (let kill = 0; kill < KILLS; kill++) {
    while (mortals.length < MORTALS) mortals.push(start(store, file, number++, job))
    await untilBusy(cells, random)
    const [victim] = mortals.splice(random.below(mortals.length), 1)
    await victim!.terminate()
  }
  const reported = once(survivor, 'message') as Promise<[SurvivorReport]>
  const ended = [survivor, ...mortals].map((worker) => once(worker, 'exit'))
  Atomics.store(cells, Cell.Stop, 1)
  const [report] = await reported
  await Promise.all(ended)

  const { repairs, repairDropped, evictions } = store.stats()
  t.diagnostic(
    JSON.stringify({ seed: job.seed, ...report, faults: report.faults.length, repairs, repairDropped, evictions }),
  )
  assert.deepEqual(report.faults.slice(0, 5), [], `seed ${job.seed}`)
  assert.equal(Atomics.load(cells, Cell.Faults), 0, 'the terminated workers saw no fault')
  for (let i = 0; i < PINNED; i++) {
    const value = store.get(keyOf(i))
    assert.ok(value, `${keyOf(i)} is lost`)
    assert.equal(fault(keyOf(i), value), undefined)
  }
  assert.ok(report.longestMs < 1000, `an operation took ${report.longestMs} ms`)
  assert.ok(repairs > 0 && evictions > 0, 'the test did what it is for')
  assert.deepEqual(violations(store.handle), [])
  assert.equal(slotsInUse(store), 1)
  store.close()
})
