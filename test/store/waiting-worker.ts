/** Waits for keys, holds them for a moment, and lets them go; between, tries to barge in with plain adds. */

import { setTimeout as delay, setImmediate as tick } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { Store } from 'latchkey/store'
import type { CrewData } from './crew.js'
import { Random } from './random.js'
import { Cell, type WaitingJob, type WaitingReport } from './waiting-job.js'

const { handle, number, job } = workerData as CrewData<WaitingJob>
const { cells, holders, tokens } = job
const store = Store.attach(handle)
const random = new Random(job.seed + number)
const report: WaitingReport = { faults: [], takenFrom: [], grants: 0, adds: 0 }
const { ttlMs } = job

function took(i: number, cas: bigint): void {
  const before = Atomics.exchange(holders, i, number + 1)
  if (before !== 0) report.takenFrom.push(before - 1)
  const last = Atomics.exchange(tokens, i, cas)
  if (last >= cas) report.faults.push(`key${i}: token ${cas} after ${last}`)
  report.grants++
  Atomics.add(cells, Cell.Grants, 1)
}

async function letGo(i: number, cas: bigint): Promise<void> {
  if (random.below(4) === 0) await tick()
  const holder = Atomics.compareExchange(holders, i, number + 1, 0)
  if (holder !== number + 1) report.faults.push(`key${i} of ${number} is held by ${holder - 1}`)
  const deleted = store.delete(`key${i}`, cas)
  if (!deleted) report.faults.push(`key${i} of ${number} was gone`)
}

/** An aborted wait leaves nothing behind, whatever was under way. */
async function waitFor(i: number): Promise<void> {
  const abort = random.below(5) === 0 ? AbortSignal.timeout(random.below(3)) : undefined
  const options = { ttlMs, waitMs: random.below(4) === 0 ? random.below(5) : 60_000, signal: abort }
  const claimed = await store.claimOrWait(`key${i}`, `${number}`, options).catch((error: Error) => {
    if (error.name !== 'TimeoutError') report.faults.push(String(error))
    return undefined
  })
  if (claimed === undefined) return
  took(i, claimed.cas)
  await letGo(i, claimed.cas)
}

/** Several at once, so that this thread hands keys to itself as well. */
async function loop(): Promise<void> {
  while (Atomics.load(cells, Cell.Stop) === 0 && (job.rounds === 0 || report.grants < job.rounds)) {
    const i = random.below(job.keys)
    if (random.below(3) > 0) await waitFor(i)
    else {
      const cas = store.claim(`key${i}`, `${number}`, { ttlMs })
      if (cas === undefined) await delay(0)
      else {
        report.adds++
        took(i, cas)
        await letGo(i, cas)
      }
    }
  }
}

await Promise.all([loop(), loop(), loop()])
store.close()
parentPort!.postMessage(report)
