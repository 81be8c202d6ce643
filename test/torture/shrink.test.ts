/** Bad plans are made smaller for as long as they are bad. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { algorithmNamed, check, type Plan, planOf, shrink } from 'latchkey/torture'
import { runInMiniature } from './support/miniature.js'

const big = planOf(algorithmNamed('add-token-pause'), 'pause', 12)

/** Counts how often it is asked. */
function asking(isBad: (plan: Plan) => boolean | Promise<boolean>) {
  const asked = {
    times: 0,
    async isBad(plan: Plan) {
      asked.times++
      return isBad(plan)
    },
  }
  return asked
}

test('what nothing depends on is left out altogether', async () => {
  const small = await shrink(big, async () => true)
  assert.deepEqual(small.incidents, [])
  assert.deepEqual(small.rounds.flat(), [])
  assert.equal(small.rounds.length, big.rounds.length, 'participants keep their numbers')
  assert.deepEqual([small.seed, small.fault, small.ttlMs], [big.seed, big.fault, big.ttlMs])
})

test('what it takes stays: one incident of some length, and two who work', async () => {
  const isBad = ({ incidents, rounds }: Plan) =>
    incidents.some((each) => each.what === 'pause' && each.ms > 1234) &&
    rounds.filter((each) => each.some(({ workMs }) => workMs >= 20)).length >= 2
  const start: Plan = { ...big, incidents: [...big.incidents, { at: 777, what: 'pause', who: 0, ms: 2345 }] }
  assert.ok(isBad(start))
  const small = await shrink(start, async (plan) => isBad(plan))
  assert.ok(isBad(small))
  assert.deepEqual(
    small.incidents.map((each) => 'ms' in each && [each.at, each.ms]),
    [[0, 2000]],
  )
  assert.equal(small.rounds.filter((each) => each.length > 0).length, 2)
  assert.equal(small.rounds.flat().length, 2)
  assert.ok(small.rounds.flat().every(({ afterMs, workMs }) => afterMs === 0 && workMs % 10 === 0))
})

test('what cannot be made smaller is given back as it is, and so is what is not bad at all', async () => {
  assert.deepEqual(await shrink(big, async () => false), big)
})

test('it gives up after so many tries, with the best that it has', async () => {
  const never = asking(() => false)
  assert.equal(await shrink(big, never.isBad, 5), big)
  assert.equal(never.times, 5)
  const always = asking(() => true)
  const small = await shrink(big, always.isBad, 2)
  assert.equal(always.times, 2)
  assert.deepEqual(small.incidents, [])
  assert.notDeepEqual(small.rounds.flat(), [])
})

test('an error of the laboratory comes through', async () => {
  await assert.rejects(
    shrink(big, () => Promise.reject(new Error('no laboratory'))),
    /no laboratory/,
  )
})

test('a real one: what is left of a plan still breaks the recipe, and is small', async () => {
  const algorithm = algorithmNamed('add-token-restart')
  const isBad = async (plan: Plan) => check(plan, algorithm, await runInMiniature(plan, algorithm)).length > 0
  const plan = await firstBad((seed) => planOf(algorithm, 'restart', seed), isBad)
  const small = await shrink(plan, isBad)
  assert.ok(await isBad(small))
  assert.ok(small.incidents.length <= 1)
  assert.ok(small.rounds.flat().length <= 3, `${small.rounds.flat().length} rounds`)
})

async function firstBad(make: (seed: number) => Plan, isBad: (plan: Plan) => Promise<boolean>): Promise<Plan> {
  for (let seed = 1; ; seed++) if (await isBad(make(seed))) return make(seed)
}
