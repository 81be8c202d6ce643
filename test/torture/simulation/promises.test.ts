/** Ours keep what they promise, whatever strikes; the recipes of the museum break what their story says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Algorithm } from '#dist/torture/algorithm.js'
import { catalogue } from '#dist/torture/algorithms/index.js'
import { check } from '#dist/torture/checker/index.js'
import { type FaultName, faultKinds } from '#dist/torture/faults.js'
import type { Violation } from '#dist/torture/history.js'
import { planOf } from '#dist/torture/planning.js'
import { simulation } from '#dist/torture/simulation/index.js'
import { chosenSeed } from '../../support/seed.js'

const SEEDS = process.env.LATCHKEY_SOAK === '1' ? 1000 : 6
const STORY_SEEDS = 60
const laboratory = simulation()

for (const algorithm of catalogue.filter(({ row, home }) => row === undefined && home !== 'embedded')) {
  test(`${algorithm.name} keeps its promises`, async () => {
    let done = 0
    for (const { name } of faultKinds) {
      const fault = name as FaultName
      if (isLeftOut(algorithm, fault) || algorithm.exceeded?.[fault] !== undefined) continue
      for (let i = 0; i < SEEDS; i++) done += await keeps(algorithm, fault, chosenSeed() + i)
    }
    assert.ok(done > SEEDS * 50, `only ${done} changes were made`)
  })
}

for (const algorithm of catalogue.filter(({ story }) => story !== undefined)) {
  test(`${algorithm.name} is caught by ${algorithm.story}`, async () => {
    for (let i = 0; i < STORY_SEEDS; i++) {
      if ((await violations(algorithm, algorithm.story!, chosenSeed() + i)).length > 0) return
    }
    assert.fail(`not within ${STORY_SEEDS} seeds`)
  })
}

async function keeps(algorithm: Algorithm, fault: FaultName, seed: number): Promise<number> {
  const plan = planOf(algorithm, fault, seed)
  const history = await laboratory.run(plan)
  const broken = check(plan, algorithm, history)
  assert.deepEqual(
    broken.map(({ text }) => text),
    [],
    `${algorithm.name} under ${fault}, seed ${seed}`,
  )
  return history.updates.filter(({ outcome }) => outcome === 'done').length
}

async function violations(algorithm: Algorithm, fault: FaultName, seed: number): Promise<Violation[]> {
  const plan = planOf(algorithm, fault, seed)
  return check(plan, algorithm, await laboratory.run(plan))
}

function isLeftOut(algorithm: Algorithm, fault: FaultName): boolean {
  return laboratory.refuses(algorithm, fault) !== undefined || algorithm.without?.includes(fault) === true
}
