/** Each fault does what it says, to real processes and servers; a right lock survives it. Several at once: they mostly sleep. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type FaultName, type History, type Incident, type Laboratory, type Plan, processes } from 'latchkey/torture'
import { requirePeer } from '../../support/peers.js'
import { lost, outcomes, overlaps, type Tiny, tiny } from './tiny-plan.js'

const catalogue = new URL('./tiny.js', import.meta.url).href
let laboratory: Laboratory

before(async () => {
  laboratory = await processes({ catalogue })
})
after(() => laboratory.close())

type See = (history: History) => void

function seen(title: string, plan: Plan, see: See): void {
  const needsMemcached = !/latchkey|embedded|three$/.test(plan.algorithm)
  test(title, async (t) => {
    if (needsMemcached && !requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
    const history = await laboratory.run(plan)
    try {
      see(history)
    } catch (error) {
      t.diagnostic(JSON.stringify(history))
      throw error
    }
  })
}

const broken: See = (history) => assert.notDeepEqual(overlaps(history), [])

/** Right, and not because nobody did anything. */
const survives: See = (history) => {
  assert.deepEqual(overlaps(history), [])
  assert.deepEqual(lost(history), [])
  assert.ok(outcomes(history).includes('done'), `${outcomes(history)}`)
}

const right = ['tiny-ours-memcached', 'tiny-ours-latchkey', 'tiny-ours-embedded'] as const

function allSurvive(fault: FaultName, of: Tiny, see: See = survives, which: readonly string[] = right): void {
  for (const name of which) seen(`${fault}: ${name} survives`, tiny(name, fault, of), see)
}

/** Who comes first has the lock when it strikes. */
const held = { participants: 2, laterMs: 50, workMs: 500 }
const first = { at: 150, who: 0 }
const server = { at: 150, server: 0 }
const onWire = right.slice(0, 2)

describe('faults', { concurrency: 5 }, () => {
  seen('none: row 1 is caught', tiny('tiny-get-then-set', 'none'), broken)
  allSurvive('none', { rounds: 2, workMs: 20 }, (history) => {
    survives(history)
    assert.deepEqual([...history.final].sort(), ['0.0', '0.1', '1.0', '1.1', '2.0', '2.1'])
  })
  seen('none: what is in the cache is read back', tiny('tiny-cas', 'none', { rounds: 2, workMs: 5 }), (history) => {
    assert.deepEqual(lost(history), [])
    assert.equal(history.final.length, 6)
  })

  const long = { ...held, ttlMs: 1000, workMs: 2500 }
  seen('overrun: who does not renew', tiny('tiny-add', 'overrun', long), broken)
  allSurvive('overrun', { ...long, ttlMs: 2000 })

  const pause: Incident = { ...first, what: 'pause', ms: 2500 }
  seen('pause', tiny('tiny-add', 'pause', { ...held, ttlMs: 1000, incidents: [pause] }), (history) => {
    broken(history)
    assert.deepEqual(
      history.marks.map(({ what, who, ms }) => ({ what, who, ms })),
      [{ what: 'pause', who: 0, ms: 2500 }],
    )
  })
  const lease = { ...held, ttlMs: 2000, incidents: [{ ...pause, ms: 4000 }] }
  /** And is not believed in for longer than it may be, though it slept for longer. */
  const beliefEnds: See = (history) => {
    survives(history)
    const { from, to } = history.beliefs.find(({ who }) => who === 0)!
    assert.ok(to - from <= 2000, `${to - from}`)
    assert.ok(history.beliefs.some((other) => other.who === 1 && other.from >= to && other.from < 4150))
  }
  allSurvive('pause', lease, beliefEnds, ['tiny-ours-latchkey'])
  const stall: Incident = { ...first, what: 'stall', ms: 4000 }
  seen('stall', tiny('tiny-add', 'stall', { ...held, ttlMs: 1000, incidents: [{ ...stall, ms: 2500 }] }), broken)
  allSurvive('stall', { ...lease, incidents: [stall] }, beliefEnds, ['tiny-ours-latchkey', 'tiny-ours-embedded'])

  const heap: Incident = { at: 0, who: 0, what: 'heap', ms: 1500 }
  const pressed = { participants: 1, workMs: 1500, incidents: [heap] }
  seen('heap: much is collected', tiny('tiny-collecting', 'heap', pressed), ({ updates }) => {
    const ms = Number(updates[0].why!.replace('Error: ', ''))
    assert.ok(ms > 100, `${ms}`)
  })

  const crash: Incident = { ...first, what: 'crash' }
  allSurvive('crash', { ...held, incidents: [crash] }, (history) => {
    survives(history)
    assert.deepEqual(outcomes(history), ['cut', 'done'])
    assert.ok(history.beliefs.every(({ who, to }) => who === 1 || to < 2000))
  })
  const abort: Incident = { at: 200, who: 1, what: 'abort' }
  allSurvive('abort', { ...held, workMs: 1000, incidents: [abort] }, (history) => {
    survives(history)
    assert.match(history.updates.find(({ who }) => who === 1)!.why!, /the caller has given up/)
  })

  const alone = { participants: 1, workMs: 100 }
  for (const cut of [true, false]) {
    const lose: Incident = { at: 0, what: 'lose', who: 0, nth: 1, cut }
    const how = cut ? 'with the connection' : 'without a word'
    seen(
      `lost-reply: carried out, ${how}`,
      tiny('tiny-one-add', 'lost-reply', { ...alone, incidents: [lose] }),
      (history) => {
        assert.match(history.updates[0].why!, cut ? /ConnectionLostError/ : /DeadlineExceededError/)
        assert.deepEqual(history.final, ['there'])
        assert.match(history.marks[0].what, /the reply to request 1 is lost/)
      },
    )
    seen(`retry: sent again, ${how}`, tiny('tiny-one-add', 'retry', { ...alone, incidents: [lose] }), (history) => {
      assert.deepEqual(outcomes(history), ['busy'], 'the first one was carried out')
    })
    for (const fault of ['lost-reply', 'retry'] as const) {
      const incidents = [0, 1].map((nth): Incident => ({ ...lose, nth }))
      allSurvive(fault, { ...held, incidents }, undefined, [onWire[cut ? 0 : 1]])
    }
  }
  const delayed = tiny('tiny-one-add', 'delay', {
    ...alone,
    incidents: [{ at: 0, what: 'delay', who: 0, nth: 1, ms: 1500 }],
  })
  seen(
    'delay: carried out long after it was given up',
    { ...delayed, rounds: [[...delayed.rounds[0], { afterMs: 2500, workMs: 0 }]] },
    (history) => {
      assert.match(history.updates[0].why!, /DeadlineExceededError/)
      assert.deepEqual(outcomes(history), ['failed', 'busy'])
    },
  )
  allSurvive('delay', { ...held, incidents: [{ at: 0, what: 'delay', who: 0, nth: 0, ms: 1500 }] }, undefined, onWire)

  const blips = (who: number) => [0, 1, 2].map((server): Incident => ({ at: 0, what: 'blip', who, server, ms: 1500 }))
  test('blip: who goes to the next server, but only if it was the one', async (t) => {
    if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
    const run = (blip: Incident) =>
      laboratory.run(tiny('tiny-rehashing', 'blip', { ...held, workMs: 1000, incidents: [blip] }))
    const histories = await Promise.all(blips(1).map(run))
    assert.deepEqual(histories.map((history) => overlaps(history).length).sort(), [0, 0, 1])
  })
  allSurvive('blip', { ...held, incidents: blips(1) }, survives, ['tiny-ours-three', 'tiny-ours-three-memcached'])
  seen(
    'lists: who goes by the place in the list',
    tiny('tiny-rehashing', 'lists', { ...held, participants: 3 }),
    broken,
  )
  allSurvive('lists', { ...held, participants: 3 }, survives, ['tiny-ours-three', 'tiny-ours-three-memcached'])

  for (const lost of ['requests', 'replies'] as const) {
    const partition: Incident = { at: 500, what: 'partition', who: 0, server: 0, lost, ms: 1500 }
    const cutOff = tiny('tiny-one-add', 'partition', { ...alone, incidents: [partition] })
    seen(`partition: ${lost} are lost`, { ...cutOff, rounds: [[{ afterMs: 0, workMs: 1000 }]] }, (history) => {
      assert.equal(history.updates[0].outcome, 'failed')
      assert.deepEqual(history.final, lost === 'requests' ? [] : ['there'])
    })
    allSurvive('partition', { ...held, workMs: 1000, incidents: [partition] }, undefined, onWire)
  }

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
  allSurvive('server-pause', { ...held, workMs: 1000, incidents: [serverPause] }, undefined, onWire)

  const restart: Incident = { ...server, what: 'restart', downMs: 0 }
  seen(
    'restart: the lock is forgotten',
    tiny('tiny-add', 'restart', { ...held, laterMs: 1000, workMs: 2500, ttlMs: 5000, incidents: [restart] }),
    broken,
  )
  // Long enough for the server's vote to come back.
  allSurvive(
    'restart',
    { ...held, lengthMs: 12_000, waitMs: 10_000, incidents: [restart] },
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
  allSurvive('evict', { ...held, workMs: 1500, incidents: [evict] }, survives, right.slice(1))
  const full: Incident = { at: 0, server: 0, what: 'full', ms: 2000 }
  seen(
    'full: no room for a lock',
    tiny('tiny-one-add', 'full', { ...alone, workMs: 1500, incidents: [{ ...full, at: 50 }] }),
    (history) => {
      assert.match(history.updates[0].why!, /ServerError.*out of memory/)
    },
  )
  allSurvive('full', { ...held, rounds: 3, incidents: [full] })

  for (const how of ['set', 'touch', 'delete'] as const) {
    const foreign: Incident = { at: 150, what: 'foreign', how }
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
