import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Incident } from 'latchkey/torture'
import { stuck } from '#dist/torture/checker/stuck.js'
import { belief, deed, history, plan, update } from './made.js'

const found = (...args: Parameters<typeof stuck>) => stuck(...args).map(({ at, who }) => ({ at, who }))

test('a round that takes as long as it may is not stuck; one that never ends is', () => {
  // Polling 1500, work 100, two leases 4000, and 5000 for all else.
  assert.deepEqual(found(plan(), history({ updates: [update(0, 0, 10_600, 'cut')] })), [])
  assert.deepEqual(found(plan(), history({ updates: [update(0, 0, 10_601, 'cut')] })), [{ at: 10_601, who: [0] }])
})

test('what the faults take is added to it', () => {
  const paused = plan({ fault: 'pause', incidents: [{ at: 5, what: 'pause', who: 0, ms: 3000 }] })
  assert.deepEqual(found(paused, history({ updates: [update(0, 0, 15_600, 'cut')] })), [])
  assert.equal(found(paused, history({ updates: [update(0, 0, 15_601, 'cut')] })).length, 1)
})

test('who was killed is not stuck', () => {
  const crash = plan({ fault: 'crash', incidents: [{ at: 5, what: 'crash', who: 0 }] })
  const updates = [update(0, 0, 60_000, 'cut')]
  assert.deepEqual(found(crash, history({ updates })), [])
  assert.equal(found(crash, history({ updates: [{ ...updates[0], who: 1 }] })).length, 1)
})

test('busy is right as long as an earlier lease may last, and wrong after it', () => {
  // A lease of 2000, what the server may add, and some patience.
  const beliefs = [belief(0, 0, 100)]
  const patient = plan({ waitMs: 6000 })
  assert.deepEqual(found(patient, history({ beliefs, updates: [update(1, 50, 4100, 'busy')] })), [])
  const late = history({ beliefs, updates: [update(1, 50, 4101, 'busy')] })
  assert.deepEqual(found(patient, late), [{ at: 4101, who: [1] }])
  // Not where the servers are not to be had, nor when somebody had the lock.
  assert.deepEqual(found({ ...patient, fault: 'partition' }, late), [])
  assert.deepEqual(found(patient, { ...late, beliefs: [...beliefs, belief(2, 2000, 2100)] }), [])
})

test('who is killed may leave a lease, from then on', () => {
  const crash = plan({ fault: 'crash', waitMs: 6000, incidents: [{ at: 1500, what: 'crash', who: 0 }] })
  assert.deepEqual(found(crash, history({ updates: [update(1, 0, 5500, 'busy')] })), [])
  assert.equal(found(crash, history({ updates: [update(1, 0, 5501, 'busy')] })).length, 1)
})

const loss = (who: number, cut = true): Incident => ({ at: 0, what: 'lose', who, nth: 0, cut })

test('a lock that its writer never knew of, and that lasts until its lease is over, is nobody’s', () => {
  const lost = plan({ fault: 'lost-reply', incidents: [loss(0)] })
  const deeds = [deed(10, 'add', 0, 'a'), deed(1900, 'expire')]
  assert.deepEqual(found(lost, history({ deeds })), [{ at: 10, who: [0] }])
  assert.equal(found(lost, history({ deeds, beliefs: [belief(1, 500, 600), belief(0, 1900, 2000)] })).length, 1)
  // Known after all, or taken away.
  assert.deepEqual(found(lost, history({ deeds, beliefs: [belief(0, 500, 600)] })), [])
  assert.deepEqual(found(lost, history({ deeds: [deeds[0], deed(1500, 'delete', 0)] })), [])
})

test('but not when its writer could not know, or not do anything about it', () => {
  const of = history({ deeds: [deed(10, 'add', 0, 'a'), deed(1900, 'expire')] })
  const count = (...incidents: Incident[]) => found(plan({ fault: 'lost-reply', incidents }), of).length
  assert.equal(count(loss(0), loss(0), loss(1, false)), 1)
  assert.equal(count(loss(0), loss(0, false)), 0)
  assert.equal(count(loss(0), loss(0), loss(0)), 0)
  assert.deepEqual(found(plan({ fault: 'partition' }), of), [])
})
