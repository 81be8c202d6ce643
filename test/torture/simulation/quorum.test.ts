/** Locks on a majority of three servers, under the laboratory's faults: what one server promises, three keep as well. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, faultKinds, onEngines, planOf, simulation } from 'latchkey/torture'

/** The third of a server that is stopped, or starts again, is of one alone: a majority is well. */
const SEEDS = 3

for (const name of ['quorum', 'quorum-memcached'] as const) {
  test(`${name}: one holder at a time, fences rise, and nobody waits for nothing`, async () => {
    const algorithm = onEngines[name]
    const laboratory = simulation()
    let done = 0
    for (const { name: fault } of faultKinds) {
      if (algorithm.without?.includes(fault) || laboratory.refuses(algorithm, fault) !== undefined) continue
      for (let seed = 1; seed <= SEEDS; seed++) {
        const plan = planOf(algorithm, fault, seed)
        const history = await laboratory.run(plan)
        assert.deepEqual(check(plan, algorithm, history), [], `${fault}, seed ${seed}`)
        done += history.updates.filter(({ outcome }) => outcome === 'done').length
      }
    }
    assert.ok(done > 80, `only ${done} changes were made`)
    await laboratory.close()
  })
}
