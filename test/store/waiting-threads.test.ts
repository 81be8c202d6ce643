/** Keys handed from thread to thread: in order, to one at a time, and past threads that are terminated at any moment. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { Store } from 'latchkey/store'
import { compileOnOwnThread } from '../support/compiling.js'
import { chosenSeed } from '../support/seed.js'
import { runCrew, start } from './crew.js'
import { violations } from './invariants.js'
import { Random } from './random.js'
import { Cell, type WaitingJob, type WaitingReport } from './waiting-job.js'

const file = new URL('./waiting-worker.js', import.meta.url)
const KILLS = process.env.LATCHKEY_SOAK === '1' ? 500 : 60
const MORTALS = 3

compileOnOwnThread()

function jobOf(keys: number, rounds: number, ttlMs: number): WaitingJob {
  const shared = (bytes: number) => new SharedArrayBuffer(bytes)
  return {
    seed: chosenSeed(),
    keys,
    rounds,
    ttlMs,
    cells: new Int32Array(shared(64)),
    holders: new Int32Array(shared(keys * 4)),
    tokens: new BigInt64Array(shared(keys * 8)),
  }
}

test('threads take turns: one holder at a time, tokens rise, nobody is left waiting', async (t) => {
  const store = new Store({ memory: '2mb' })
  const reports = await runCrew<WaitingJob, WaitingReport>(store, file, 4, jobOf(3, 1500, 60_000))
  const { handOvers, waitsTimedOut, waitsAbandoned } = store.stats()
  t.diagnostic(JSON.stringify({ handOvers, waitsTimedOut, waitsAbandoned, adds: reports.map(({ adds }) => adds) }))
  for (const { faults, takenFrom } of reports) assert.deepEqual([faults.slice(0, 5), takenFrom], [[], []])
  assert.ok(handOvers > 1000 && waitsTimedOut > 0 && waitsAbandoned > 0, 'the test did what it is for')
  assert.equal(store.stats().waiters, 0)
  assert.equal(store.stats().currItems, 0)
  assert.deepEqual(violations(store.handle), [])
  store.close()
})

test('first come, first served, over threads', async () => {
  const store = new Store({ memory: '2mb' })
  store.set('turns', '')
  store.set('k', 'main')
  const body = `
    const { workerData, parentPort } = require('node:worker_threads')
    import('latchkey/store').then(async ({ Store }) => {
      const store = Store.attach(workerData.handle)
      for await (const number of on()) {
        store.claimOrWait('k', number, { waitMs: 60000 }).then(({ cas }) => {
          store.append('turns', number + ';')
          store.delete('k', cas)
        })
        parentPort.postMessage('waits')
      }
      async function* on() {
        const { on } = require('node:events')
        for await (const [number] of on(parentPort, 'message')) yield number
      }
    })`
  const workers = Array.from(
    { length: 4 },
    () => new Worker(body, { eval: true, workerData: { handle: store.handle } }),
  )
  for (const worker of workers) store.adopt(worker)
  const order = Array.from({ length: 40 }, (_, i) => String(i))
  const random = new Random(chosenSeed())
  for (const number of order) {
    const worker = workers[random.below(workers.length)]!
    worker.postMessage(number)
    await once(worker, 'message')
  }
  assert.equal(store.waiting('k'), order.length)
  store.delete('k')
  while (store.get('k') !== undefined) await delay(1)
  assert.equal(Buffer.from(store.get('turns')!).toString(), order.map((number) => `${number};`).join(''))
  await Promise.all(workers.map((worker) => worker.terminate()))
  store.close()
})

test(`${KILLS} threads are terminated while keys change hands`, async (t) => {
  const store = new Store({ memory: '2mb' })
  const job = jobOf(4, 0, 1000)
  const random = new Random(job.seed)
  const survivor = start(store, file, 0, job)
  const mortals: { worker: Worker; number: number }[] = []
  const killed = new Set<number>()
  let next = 1
  for (let kill = 0; kill < KILLS; kill++) {
    while (mortals.length < MORTALS) mortals.push({ worker: start(store, file, next, job), number: next++ })
    const goal = Atomics.load(job.cells, Cell.Grants) + random.below(120)
    while (Atomics.load(job.cells, Cell.Grants) < goal) await delay(1)
    const [victim] = mortals.splice(random.below(mortals.length), 1)
    killed.add(victim!.number)
    await victim!.worker.terminate()
  }
  const before = Atomics.load(job.cells, Cell.Grants)
  while (Atomics.load(job.cells, Cell.Grants) < before + 100) await delay(1)
  const workers = [survivor, ...mortals.map(({ worker }) => worker)]
  const reported = Promise.all(workers.map((worker) => once(worker, 'message') as Promise<[WaitingReport]>))
  const ended = Promise.all(workers.map((worker) => once(worker, 'exit')))
  Atomics.store(job.cells, Cell.Stop, 1)
  const reports = await reported
  await ended
  const { repairs, handOvers } = store.stats()
  t.diagnostic(JSON.stringify({ seed: job.seed, repairs, handOvers, grants: Atomics.load(job.cells, Cell.Grants) }))
  for (const [{ faults, takenFrom }] of reports) {
    assert.deepEqual(faults.slice(0, 5), [], `seed ${job.seed}`)
    assert.deepEqual(
      takenFrom.filter((number) => !killed.has(number)),
      [],
      'keys pass on from the dead alone',
    )
  }
  assert.equal(store.stats().waiters, 0)
  assert.deepEqual(violations(store.handle), [])
  store.close()
})
