/** A run depends on its plan alone, and leaves nothing behind. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue } from '#dist/torture/algorithms/index.js'
import { type FaultName, faultKinds } from '#dist/torture/faults.js'
import type { Plan } from '#dist/torture/plan.js'
import { planOf } from '#dist/torture/planning.js'
import { simulation } from '#dist/torture/simulation/index.js'
import { chosenSeed } from '../../support/seed.js'

const SEEDS = 200
const laboratory = simulation()

/** All algorithms and faults have their turn. */
function plans(): Plan[] {
  const first = chosenSeed()
  const cells = catalogue.flatMap((algorithm) =>
    faultKinds
      .map(({ name }) => name as FaultName)
      .filter((fault) => laboratory.refuses(algorithm, fault) === undefined && !algorithm.without?.includes(fault))
      .map((fault) => ({ algorithm, fault })),
  )
  return Array.from({ length: SEEDS }, (_, i) => {
    const { algorithm, fault } = cells[(i * 37) % cells.length]
    return planOf(algorithm, fault, first + i)
  })
}

test('the same plan gives the same history, byte by byte, also next to others', async () => {
  for (const plan of plans()) {
    const alone = JSON.stringify(await laboratory.run(plan))
    const copy = JSON.parse(JSON.stringify(plan)) as Plan
    const others = [laboratory.run(copy), laboratory.run({ ...plan, seed: plan.seed + 1 })]
    const [again] = await Promise.all(others)
    assert.equal(JSON.stringify(again), alone, `${plan.algorithm} under ${plan.fault}, seed ${plan.seed}`)
  }
})

test('nothing of a run is left', async () => {
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  for (const plan of plans().slice(0, 60)) await laboratory.run(plan)
  const after = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  assert.equal(after, before)
})

test('what it cannot do it refuses', async () => {
  const named = (name: string) => catalogue.find((each) => each.name === name)!
  assert.match(laboratory.refuses(named('embedded-fenced'), 'none')!, /real/)
  assert.match(laboratory.refuses(named('memcached-fenced'), 'heap')!, /real processes/)
  assert.match(laboratory.refuses(named('latchkey-fenced'), 'lists')!, /one order/)
  assert.equal(laboratory.refuses(named('memcached-fenced'), 'lists'), undefined)
  const plan = planOf(named('embedded-fenced'), 'none', 1)
  await assert.rejects(laboratory.run(plan), /cannot do embedded-fenced/)
})
