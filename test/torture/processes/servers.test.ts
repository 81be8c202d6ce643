/** What befalls servers: it does what it says, and a right lock survives it. */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Incident } from 'latchkey/torture'
import { allSurvive, alone, broken, held, onWire, right, seen, server, survives, together } from './cases.js'
import { lost, outcomes, tiny } from './tiny-plan.js'

describe('servers', together, () => {
  seen(
    'boundary: a second that is over at once',
    tiny('tiny-add', 'boundary', { ...held, ttlMs: 1000, workMs: 700 }),
    broken,
  )
  allSurvive('boundary', { ...held, ttlMs: 2000, workMs: 700 }, survives, onWire)

  const serverPause: Incident = { at: 500, what: 'server-pause', server: 0, ms: 2000 }
  seen(
    'server-pause: carried out later',
    tiny('tiny-one-add', 'server-pause', { ...alone, workMs: 1000, incidents: [serverPause] }),
    (history) => {
      assert.match(history.updates[0].why!, /DeadlineExceededError/)
      assert.deepEqual(history.final, ['there'])
    },
  )
  allSurvive('server-pause', { ...held, incidents: [serverPause] }, undefined, onWire)

  seen(
    'server-pause: what is in the cache is read back, though the server is stopped for longer than the run lasts',
    tiny('tiny-cas', 'server-pause', { ...alone, rounds: 2, incidents: [{ ...serverPause, at: 150, ms: 60_000 }] }),
    (history) => {
      assert.deepEqual(outcomes(history), ['done', 'failed'])
      assert.ok(history.final.includes('0.0'))
    },
  )

  const restart: Incident = { ...server, what: 'restart', downMs: 0 }
  seen(
    'restart: the lock is forgotten',
    tiny('tiny-add', 'restart', { ...held, laterMs: 1000, workMs: 2500, ttlMs: 5000, incidents: [restart] }),
    broken,
  )
  // The first one renews at a third of its lease, and believes until then; long enough for the server's vote to come back.
  allSurvive(
    'restart',
    { ...held, laterMs: 700, ttlMs: 4000, lengthMs: 12_000, waitMs: 10_000, incidents: [restart] },
    (history) => {
      survives(history)
      assert.match(history.marks[0].what, /restart/)
    },
    onWire,
  )

  const flush: Incident = { ...server, what: 'flush' }
  seen('flush: the lock is gone', tiny('tiny-add', 'flush', { ...held, workMs: 1500, incidents: [flush] }), broken)
  allSurvive('flush', { ...held, incidents: [flush] }, survives, right.slice(1))
  const evict: Incident = { ...server, what: 'evict' }
  seen(
    'evict: the lock is gone',
    tiny('tiny-add', 'evict', { ...held, workMs: 3000, ttlMs: 5000, incidents: [evict] }),
    broken,
  )
  seen(
    'evict: the lock is gone, however often others look at it',
    tiny('tiny-get-then-set', 'evict', { ...held, workMs: 3000, ttlMs: 5000, incidents: [evict] }),
    broken,
  )
  allSurvive('evict', { ...held, workMs: 1500, incidents: [evict] }, survives, right.slice(1))
  const full: Incident = { at: 0, server: 0, what: 'full', ms: 2000 }
  seen(
    'full: no room for a lock',
    tiny('tiny-one-add', 'full', { ...alone, workMs: 1500, incidents: [{ ...full, at: 50 }] }),
    (history) => {
      assert.match(history.updates[0].why!, /ServerError.*out of memory/)
    },
  )
  // Not on memcached: in 1.6.18 an `ms` that finds no memory deletes what is there, also in the mode of add.
  allSurvive('full', { ...held, rounds: 3, incidents: [full] }, survives, right.slice(1))

  for (const how of ['set', 'touch', 'delete'] as const) {
    const foreign: Incident = { at: server.at, what: 'foreign', how }
    if (how !== 'set')
      seen(
        `foreign: ${how}`,
        tiny('tiny-add', 'foreign', { ...held, workMs: 2500, ttlMs: 5000, incidents: [foreign] }),
        broken,
      )
    // Two may believe for a while; the earlier one's fence is refused.
    allSurvive('foreign', { ...held, incidents: [foreign] }, (history) => {
      assert.deepEqual(lost(history), [])
      assert.ok(outcomes(history).includes('done'))
    })
  }
})
