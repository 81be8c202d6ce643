/** Jobs, barriers and countdowns on one embedded store, used by many at a time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocks, type Locks, store } from 'latchkey/locks'
import { Store } from 'latchkey/store'

const MANY = 10

/** Each has attached to it anew, as another thread would. */
async function withMany(run: (all: Locks[]) => Promise<void>): Promise<void> {
  const shared = new Store({ memory: '16mb' })
  const attached = Array.from({ length: MANY }, () => Store.attach(shared.handle))
  const all = attached.map((own) => createLocks(store(own)))
  try {
    await run(all)
  } finally {
    await Promise.all(all.map((locks) => locks.close()))
    for (const own of [...attached, shared]) own.close()
  }
}

test('of many that ask at once, one runs the job', () =>
  withMany(async (all) => {
    let runs = 0
    const turns = all.map((locks) => locks.once('job', { every: '4w', wait: '30s' }, () => ++runs))
    const results = await Promise.all(turns)
    assert.equal(runs, 1)
    assert.equal(results.filter(({ ran }) => ran).length, 1)
    assert.ok(results.every(({ record }) => record?.outcome === 'done'))
  }))

test('many meet again and again, and nobody goes on before all have come', () =>
  withMany(async (all) => {
    const arrived = Array(5).fill(0)
    await Promise.all(
      all.map(async (locks, i) => {
        const barrier = locks.barrier('round', { parties: MANY })
        for (const round of arrived.keys()) {
          arrived[round]++
          assert.equal(await barrier.wait({ id: `${i}` }), round)
          assert.equal(arrived[round], MANY)
        }
      }),
    )
  }))

test('many arrive at a countdown, each of them counted once', () =>
  withMany(async (all) => {
    const left = await Promise.all(all.map((locks) => locks.countdown('ready', { count: MANY + 1 }).arrive()))
    assert.deepEqual(
      left.sort((one, other) => one - other),
      Array.from({ length: MANY }, (_, i) => i + 1),
    )
    assert.equal(await all[0].countdown('ready', { count: MANY + 1 }).arrive(), 0)
  }))
