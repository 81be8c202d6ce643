/** What befalls participants: it does what it says, and a right lock survives it. */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Incident } from 'latchkey/torture'
import { allSurvive, broken, first, held, type See, seen, survives, together } from './cases.js'
import { lost, outcomes, tiny } from './tiny-plan.js'

describe('participants', together, () => {
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
    assert.ok(history.beliefs.some((other) => other.who === 1 && other.from >= to && other.from < 4500))
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
  const abort: Incident = { at: 800, who: 1, what: 'abort' }
  allSurvive('abort', { ...held, workMs: 1500, incidents: [abort] }, (history) => {
    survives(history)
    assert.match(history.updates.find(({ who }) => who === 1)!.why!, /the caller has given up/)
  })
})
