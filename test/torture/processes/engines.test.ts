/** Engines as servers of the laboratory: what befalls them, and whoever has locks there, does what it says; right locks survive it. */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { FaultName, Incident, Plan } from 'latchkey/torture'
import { allSurvive, broken, held, onEngines, onQuorum, type See, seen, survives, together } from './cases.js'
import { lost, outcomes, type Tiny, tiny } from './tiny-plan.js'

const busy: Tiny = { participants: 2, rounds: 2, workMs: 20 }

const marked =
  (pattern: RegExp, see: See = () => {}): See =>
  (history) => {
    survives(history)
    assert.match(history.marks[0].what, pattern)
    see(history)
  }

const struck = (name: string, fault: FaultName, incident: Incident, of: Tiny = held) =>
  tiny(`tiny-ours-${name}`, fault, { ...of, lengthMs: 14_000, waitMs: 10_000, incidents: [incident] })

describe('engines', together, () => {
  const allDone: See = (history) => {
    survives(history)
    assert.deepEqual([...history.final].sort(), ['0.0', '0.1', '1.0', '1.1'])
  }
  allSurvive('none', busy, allDone, [...onEngines, ...onQuorum])

  const loses = (cut: boolean): Tiny => ({ ...busy, incidents: [{ at: 0, what: 'lose', who: 0, nth: 0, cut }] })
  allSurvive('lost-reply', loses(true), marked(/reply to request 0 is lost, with/), onEngines.slice(0, 3))
  allSurvive('lost-reply', loses(false), marked(/reply to request 0 is lost/), onEngines.slice(3))
  const blip: Incident = { at: 300, what: 'blip', who: 1, server: 0, ms: 1000 }
  allSurvive('blip', { ...held, incidents: [blip] }, marked(/cannot be connected/), ['tiny-ours-etcd'])

  /** Another has it at once, and whoever had it is told so by the resource. */
  const givenAway: See = (history) => {
    broken(history)
    assert.deepEqual(lost(history), [])
    assert.deepEqual(outcomes(history), ['failed', 'done'])
  }
  const foreign: Incident = { at: 500, what: 'foreign', how: 'delete' }
  for (const name of onEngines) {
    const plan: Plan = {
      // It is not renewed in that time, so that its holder hears of nothing.
      ...tiny(name, 'foreign', { ttlMs: 12_000, incidents: [foreign] }),
      rounds: [[{ afterMs: 0, workMs: 3000 }], [{ afterMs: 1200, workMs: 100 }]],
    }
    seen(`foreign: ${name} gives away what is deleted`, plan, givenAway)
  }

  const flush: Incident = { at: 500, what: 'flush', server: 0 }
  /** Who comes after it, when the holder does not know of it yet. */
  const late: Tiny = { ...held, laterMs: 700, workMs: 1200, ttlMs: 4000 }
  seen(
    'flush: Redis gives nothing until the old leases are over',
    struck('redis', 'flush', flush, late),
    marked(/flush/),
  )
  const full: Incident = { at: 0, what: 'full', server: 0, ms: 1500 }
  const notBefore = marked(/full/, ({ beliefs }) => {
    for (const { from } of beliefs) assert.ok(from >= 1400, `${from}`)
  })
  seen('full: Redis takes no new lock', struck('redis', 'full', full), notBefore)

  const long: Tiny = { ...held, workMs: 2000, ttlMs: 3000 }
  const restart: Incident = { at: 500, what: 'restart', server: 0, downMs: 0 }
  /** Its holder renews it after that, and believes in it for all of its work. */
  const goesOn = marked(/restart/, ({ beliefs: [{ from, to }] }) => assert.ok(to - from >= 1900, `${to - from}`))
  for (const name of ['redis', 'postgres'])
    seen(`restart: ${name} has its locks still`, struck(name, 'restart', restart, long), goesOn)
  const pause: Incident = { at: 500, what: 'server-pause', server: 0, ms: 2500 }
  /** It was done with its work long before. */
  const waited = marked(/server-pause/, ({ updates }) => assert.ok(updates[0].to >= 3000, `${updates[0].to}`))
  seen('server-pause: PostgreSQL as a whole', struck('postgres', 'server-pause', pause, long), waited)
})
