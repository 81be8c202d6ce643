/** A driver of an engine with one of its defences taken out is caught; the whole one comes through. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, type Incident, type Plan } from 'latchkey/torture'
import { requireRedis } from '../../support/redis.js'
import { breed, type Door } from '../mutants/mutant.js'
import { tiny } from './tiny-plan.js'

/** Its release is carried out long after its lease, when another holds and a third one waits: the fifth of what it sends there. */
const delay: Incident = { at: 0, what: 'delay', who: 0, nth: 4, ms: 3500 }
const plan: Plan = {
  ...tiny('redis-fenced', 'delay', { participants: 3, ttlMs: 2000, incidents: [delay], lengthMs: 9000 }),
  rounds: [300, 2500, 500].map((workMs, who) => [{ afterMs: who * 150, workMs }]),
}

async function violations({ processes, algorithmNamed }: Pick<Door, 'processes' | 'algorithmNamed'>) {
  const laboratory = await processes()
  try {
    return check(plan, algorithmNamed(plan.algorithm), await laboratory.run(plan)).map(({ kind }) => kind)
  } finally {
    await laboratory.close()
  }
}

test('a release on Redis that deletes without comparing', async (t) => {
  if (!requireRedis(t)) return
  const mutant = await breed({
    ...{ rule: 4, name: 'redis-blind-release', what: 'release deletes without comparing', under: [] },
    file: 'locks/drivers/redis/scripts.js',
    find: 'if not value or redis.sha1hex(value) ~= ARGV[1] then return 0 end',
    replace: 'if not value then return 0 end',
  })
  assert.deepEqual(await violations(await import('latchkey/torture')), [])
  const found: string[] = []
  // On a machine that has much to do, a run may give it no occasion.
  for (let occasions = 3; occasions > 0 && !found.includes('overlap'); occasions--) {
    found.push(...(await violations(mutant)))
  }
  assert.ok(found.includes('overlap'), `${found}`)
})
