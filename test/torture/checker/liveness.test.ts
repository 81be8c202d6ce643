/** L1 and L2, as the servers’ deeds show them: leases end, free locks are taken, and what is over is over. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Algorithm, algorithmNamed, type Incident, onEngines } from 'latchkey/torture'
import { handOver } from '#dist/torture/checker/hand-over.js'
import { lostLocks } from '#dist/torture/checker/lost-locks.js'
import { outlived } from '#dist/torture/checker/outlived.js'
import { notRecovered } from '#dist/torture/checker/recovered.js'
import { belief, deed, history, plan, update } from './made.js'

const latchkey = algorithmNamed('latchkey-fenced')
const memcached = algorithmNamed('memcached-fenced')
const killed = plan({ fault: 'crash', incidents: [{ at: 500, what: 'crash', who: 0 }] })

test('a record goes when its lease is over, also when its holder has died', () => {
  const gone = (at: number) => history({ deeds: [deed(100, 'add', 0, 'a'), deed(at, 'expire')] })
  assert.deepEqual(outlived(killed, latchkey, gone(2200)), [])
  assert.equal(outlived(killed, latchkey, gone(2201)).length, 1)
  assert.deepEqual(outlived(killed, memcached, gone(4200)), [])
  assert.equal(outlived(killed, memcached, gone(4201)).length, 1)
  // It never went.
  assert.equal(outlived(killed, latchkey, history({ deeds: [deed(100, 'add', 0, 'a')] })).length, 1)
})

test('a lease counts from its last renewal, and what a stranger gives is none', () => {
  const renewed = [deed(100, 'add', 0, 'a'), deed(1500, 'change', 0, 'a', 'a'), deed(3500, 'expire')]
  assert.deepEqual(outlived(plan(), latchkey, history({ deeds: renewed })), [])
  const touched = [deed(100, 'add', 0, 'a'), deed(1500, 'change', undefined, 'a', 'a'), deed(9500, 'expire')]
  assert.deepEqual(outlived(plan(), latchkey, history({ deeds: touched })), [])
})

test('a lock whose holder has died goes to who waits for it', () => {
  const deeds = [deed(100, 'add', 0, 'a'), deed(2100, 'expire')]
  const taken = (at: number) =>
    history({
      deeds: [...deeds, deed(at, 'add', 1, 'b')],
      updates: [update(1, 200, 4000)],
      beliefs: [belief(1, at, at + 9)],
    })
  assert.deepEqual(handOver(killed, latchkey, taken(2190)), [])
  assert.deepEqual(
    handOver(killed, latchkey, taken(2191)).map(({ who }) => who),
    [[1]],
  )
  assert.deepEqual(handOver(killed, memcached, taken(2191)), [])
  // Nor did it get it at all.
  assert.equal(handOver(killed, latchkey, history({ deeds, updates: [update(1, 200, 4000, 'busy')] })).length, 1)
})

test('but not to who had not waited yet, or was struck', () => {
  const deeds = [deed(100, 'add', 0, 'a'), deed(2100, 'expire')]
  const waited = (who: number, from: number, to: number) => history({ deeds, updates: [update(who, from, to, 'busy')] })
  assert.deepEqual(handOver(killed, latchkey, waited(1, 700, 4000)), [])
  assert.deepEqual(handOver(killed, latchkey, waited(1, 200, 2190)), [])
  assert.deepEqual(handOver(killed, latchkey, waited(0, 200, 4000)), [])
})

test('who was not struck hears of no error', () => {
  const updates = [update(0, 0, 9, 'failed'), update(1, 0, 9, 'failed')]
  assert.deepEqual(
    lostLocks(killed, latchkey, history({ updates })).map(({ who }) => who),
    [[1]],
  )
  assert.deepEqual(lostLocks(plan({ fault: 'restart' }), latchkey, history({ updates })), [])
})

test('nor does anybody while a majority is well', () => {
  const updates = [update(0, 0, 9, 'failed')]
  const found = (algorithm: Algorithm, ...servers: number[]) => {
    const incidents = servers.map((server): Incident => ({ at: 500, what: 'restart', server, downMs: 10 }))
    return lostLocks(plan({ fault: 'restart', incidents }), algorithm, history({ updates })).length
  }
  assert.deepEqual([found(onEngines.quorum, 2, 2), found(onEngines.quorum, 1, 2)], [1, 0])
  assert.deepEqual([found(latchkey, 0), found(onEngines.etcd, 2)], [0, 0])
})

test('nothing fails for ever after what struck is over', () => {
  const failed = (from: number) =>
    history({ marks: [{ at: 500, what: 'it' }], updates: [update(1, from, from + 9, 'failed')] })
  const restart: Incident = { at: 500, what: 'restart', server: 0, downMs: 50 }
  const restarted = plan({ fault: 'restart', incidents: [restart] })
  assert.deepEqual(notRecovered(plan({ fault: 'partition' }), latchkey, failed(8500)), [])
  assert.equal(notRecovered(plan({ fault: 'partition' }), latchkey, failed(8501)).length, 1)
  assert.deepEqual(notRecovered(restarted, latchkey, failed(14_500)), [])
  assert.equal(notRecovered(restarted, latchkey, failed(14_501)).length, 1)
  assert.equal(notRecovered(restarted, memcached, failed(10_501)).length, 1)
})
