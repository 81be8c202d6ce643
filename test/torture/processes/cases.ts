/** What the tests of faults have in common: one laboratory, and what a history has to look like. */
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { type FaultName, type History, type Laboratory, type Plan, processes } from 'latchkey/torture'
import { requireEtcd } from '../../support/etcd.js'
import { requirePeer } from '../../support/peers.js'
import { requirePostgres } from '../../support/postgres.js'
import { requireRedis } from '../../support/redis.js'
import { requireZooKeeper } from '../../support/zookeeper.js'
import { lost, outcomes, overlaps, type Tiny, tiny } from './tiny-plan.js'

export const catalogue = new URL('./tiny.js', import.meta.url).href
export let laboratory: Laboratory

before(async () => {
  laboratory = await processes({ catalogue })
})
after(() => laboratory.close())

export type See = (history: History) => void

/** On a machine that has much to do, a run may give a fault no occasion to show what it does. Ours has to come through the first. */
const OCCASIONS = 3

/** Carries the plan out, and sees what came of it. */
export function seen(title: string, plan: Plan, see: See): void {
  test(title, async (t) => {
    if (!isThere(t, plan.algorithm)) return
    for (let occasions = plan.algorithm.startsWith('tiny-ours') ? 1 : OCCASIONS; ; occasions--) {
      const history = await laboratory.run(plan)
      try {
        return see(history)
      } catch (error) {
        t.diagnostic(JSON.stringify(history))
        if (occasions === 1) throw error
      }
    }
  })
}

const peers: Readonly<Record<string, (t: TestContext) => boolean>> = {
  etcd: requireEtcd,
  redis: requireRedis,
  zookeeper: requireZooKeeper,
  postgres: requirePostgres,
  // Of npm.
  dynamodb: () => true,
}

function isThere(t: TestContext, algorithm: string): boolean {
  const required = peers[algorithm.replace('tiny-ours-', '')]
  if (required !== undefined) return required(t)
  return (
    /latchkey|embedded|(three|quorum)$/.test(algorithm) || requirePeer(t, '/usr/bin/memcached', 'apt install memcached')
  )
}

export const broken: See = (history) => assert.notDeepEqual(overlaps(history), [])

/** Right, and not because nobody did anything. */
export const survives: See = (history) => {
  assert.deepEqual(overlaps(history), [])
  assert.deepEqual(lost(history), [])
  assert.ok(outcomes(history).includes('done'), `${outcomes(history)}`)
}

/** Right locks, by their homes. */
export const right: readonly string[] = ['tiny-ours-memcached', 'tiny-ours-latchkey', 'tiny-ours-embedded']
export const onEngines = ['etcd', 'redis', 'zookeeper', 'postgres', 'dynamodb'].map((name) => `tiny-ours-${name}`)
export const onQuorum: readonly string[] = ['tiny-ours-quorum', 'tiny-ours-quorum-memcached']
export const onWire = right.slice(0, 2)
export const onThree: readonly string[] = ['tiny-ours-three', 'tiny-ours-three-memcached']

export function allSurvive(fault: FaultName, of: Tiny, see: See = survives, which = right): void {
  for (const name of which) seen(`${fault}: ${name} survives`, tiny(name, fault, of), see)
}

/** Who comes first has the lock when it strikes, also on a machine that has much to do. */
export const held = { participants: 2, laterMs: 200, workMs: 1000 }
export const first = { at: 500, who: 0 }
export const server = { at: 500, server: 0 }
export const alone = { participants: 1, workMs: 100 }
/** They mostly sleep. */
export const together = { concurrency: 6 }
