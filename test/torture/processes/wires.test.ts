/** What befalls requests and connections: it does what it says, and a right lock survives it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Incident } from 'latchkey/torture'
import { requirePeer } from '../../support/peers.js'
import { allSurvive, alone, broken, held, laboratory, onThree, onWire, seen, survives, together } from './cases.js'
import { outcomes, overlaps, tiny } from './tiny-plan.js'

describe('wires', together, () => {
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
    const run = (blip: Incident) => laboratory.run(tiny('tiny-rehashing', 'blip', { ...held, incidents: [blip] }))
    const histories = await Promise.all(blips(1).map(run))
    assert.deepEqual(histories.map((history) => overlaps(history).length).sort(), [0, 0, 1])
  })
  allSurvive('blip', { ...held, incidents: blips(1) }, survives, onThree)
  seen(
    'lists: who goes by the place in the list',
    tiny('tiny-rehashing', 'lists', { ...held, participants: 3 }),
    broken,
  )
  allSurvive('lists', { ...held, participants: 3 }, survives, onThree)

  for (const lost of ['requests', 'replies'] as const) {
    const partition: Incident = { at: 500, what: 'partition', who: 0, server: 0, lost, ms: 1500 }
    const cutOff = tiny('tiny-one-add', 'partition', { ...alone, incidents: [partition] })
    seen(`partition: ${lost} are lost`, { ...cutOff, rounds: [[{ afterMs: 0, workMs: 1000 }]] }, (history) => {
      assert.equal(history.updates[0].outcome, 'failed')
      assert.deepEqual(history.final, lost === 'requests' ? [] : ['there'])
    })
    allSurvive('partition', { ...held, incidents: [partition] }, undefined, onWire)
  }
})
