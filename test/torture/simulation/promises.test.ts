/**
 * Ten thousand schedules: ours keep what they promise, whatever strikes, and the recipes of the museum break what their stories
 * say. LATCHKEY_SOAK=1: ten times as many.
 */
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import {
  type Algorithm,
  algorithmNamed,
  brokenPromises,
  type Cell,
  campaign,
  catalogue,
  check,
  type FaultName,
  faultKinds,
  laboratoryFailures,
  planOf,
  scheduleLines,
  shrink,
  simulation,
} from 'latchkey/torture'
import { chosenSeed } from '../../support/seed.js'

const times = process.env.LATCHKEY_SOAK === '1' ? 10 : 1
const everyFault = faultKinds.map(({ name }) => name)
const ours = catalogue.filter(({ row, home }) => row === undefined && home !== 'embedded')

test('ours keep their promises', async () => {
  const result = await run(ours, everyFault, 110 * times)
  assert.deepEqual(laboratoryFailures(result), [])
  const { cells } = result.parts[0]
  const runs = cells.reduce((sum, cell) => sum + cell.runs, 0)
  assert.ok(runs >= 8500 * times, `${runs} runs`)
  const idle = cells.filter((cell) => cell.runs > 0 && cell.idle > cell.runs / 2)
  assert.deepEqual(idle, [], 'in most of their runs nobody got anything done')
  for (const cell of brokenPromises(result)) assert.fail(await shortest(cell))
})

for (const algorithm of catalogue.filter(({ story }) => story !== undefined)) {
  test(`${algorithm.name} is caught by ${algorithm.story}`, async () => {
    const { parts } = await run([algorithm], [algorithm.story!], 110 * times)
    const [{ bad, runs, errors }] = parts[0].cells
    assert.equal(errors, 0)
    assert.ok(bad > 0, `not in ${runs} runs`)
  })
}

function run(algorithms: readonly Algorithm[], faults: readonly FaultName[], seeds: number) {
  const laboratories = [simulation()]
  const threads = { count: availableParallelism() }
  return campaign({ laboratories, algorithms, faults, seeds, firstSeed: chosenSeed(), threads })
}

/** The first bad schedule of the cell, made as short as it goes. */
async function shortest({ algorithm: name, fault, firstBadSeed }: Cell): Promise<string> {
  const algorithm = algorithmNamed(name)
  const laboratory = simulation()
  const violations = async (plan: ReturnType<typeof planOf>) => check(plan, algorithm, await laboratory.run(plan))
  const plan = planOf(algorithm, fault, firstBadSeed!)
  const short = await shrink(plan, async (shorter) => (await violations(shorter)).length > 0)
  const broken = (await violations(short)).map(({ kind, text }) => `  ${kind}: ${text}`)
  return [`latchkey torture --replay ${name}/${fault}/${firstBadSeed}`, ...scheduleLines(short), ...broken].join('\n')
}
