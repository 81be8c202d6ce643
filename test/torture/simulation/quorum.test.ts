/** Locks on a majority of three servers, under the laboratory's faults: what one server promises, three keep as well. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Algorithm, algorithmNamed, check, type FaultName, faultKinds, planOf, simulation } from 'latchkey/torture'

const SEEDS = 1
/** Of other laboratories, or what any of our locks may break under; memcached forgets what it is told to forget. */
const WITHOUT: readonly FaultName[] = ['heap', 'retry', 'foreign']
const FORGETFUL: readonly FaultName[] = ['flush', 'evict']

function quorumOn(home: 'memcached' | 'latchkey'): Algorithm {
  const without = home === 'memcached' ? [...WITHOUT, ...FORGETFUL] : WITHOUT
  return {
    ...algorithmNamed(`${home}-fenced`),
    name: `quorum-${home}`,
    servers: 3,
    quorum: true,
    counts: ['overlap', 'lost update', 'fence order', 'stuck'],
    mayOverlap: [],
    without,
  }
}

for (const home of ['memcached', 'latchkey'] as const) {
  test(`on three servers, ${home}: one holder at a time, fences rise, and nobody waits for nothing`, async () => {
    const algorithm = quorumOn(home)
    const laboratory = simulation(() => algorithm)
    let done = 0
    for (const { name: fault } of faultKinds) {
      if (algorithm.without?.includes(fault)) continue
      for (let seed = 1; seed <= SEEDS; seed++) {
        const plan = planOf(algorithm, fault, seed)
        const history = await laboratory.run(plan)
        // A deed is one server's: the checks of records mean a lock that has one.
        assert.deepEqual(check(plan, algorithm, { ...history, deeds: [] }), [], `${fault}, seed ${seed}`)
        done += history.updates.filter(({ outcome }) => outcome === 'done').length
      }
    }
    assert.ok(done > 80, `only ${done} changes were made`)
    await laboratory.close()
  })
}
