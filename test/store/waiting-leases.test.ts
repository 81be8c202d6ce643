/** Waiting for leases that are written down before they are given, so that a restart knows of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Store, StoreGraceError, StoreLeaseError, StoreStateError, Table } from 'latchkey/store'
import { VirtualClock } from './virtual-clock.js'

const KEY = 'latchkey:lock:k'
const LONG_MS = 20_000

/** A table that keeps leases in `written`, as moments of its clock. */
function keeping(graceMs = 0) {
  const clock = new VirtualClock()
  const table = Table.create({ memory: '1mb' }, clock, { casFloor: 0n, graceMs, maxLeaseMs: 60_000 })
  const kept = { untilMs: 0, broken: false }
  table.keepLeases({
    write(leaseMs) {
      if (kept.broken) throw new Error('the disk is full')
      kept.untilMs = clock.now() + leaseMs
    },
    wallMs: () => clock.now(),
  })
  return { clock, table, store: new Store(table), kept }
}

test('a lease that is handed over is written down before, also when nothing wrote it ahead', async () => {
  const { clock, store, kept } = keeping()
  store.claim(KEY, 'a')
  const waiting = store.claimOrWait(KEY, 'b', { ttlMs: 30_000, waitMs: LONG_MS })
  assert.ok(kept.untilMs >= clock.now() + 30_000, 'one that may be given is written ahead')
  clock.advance(500_000)
  store.delete(KEY)
  assert.ok(kept.untilMs >= clock.now() + 30_000, 'written with the lease')
  assert.ok(await waiting)
  assert.equal(store.gets(KEY)?.ttlMs, 30_000)
  store.close()
})

test('a lease that cannot be written down is refused, and the key left to the next who needs none', async () => {
  const { clock, store, kept } = keeping()
  store.claim(KEY, 'a')
  const lease = store.claimOrWait(KEY, 'b', { ttlMs: 30_000, waitMs: LONG_MS })
  const forEver = store.claimOrWait(KEY, 'c', { waitMs: LONG_MS })
  const refused = assert.rejects(lease, StoreStateError)
  clock.advance(500_000)
  kept.broken = true
  store.delete(KEY)
  await refused
  assert.ok(await forEver)
  await assert.rejects(store.claimOrWait(KEY, 'd', { ttlMs: 30_000, waitMs: LONG_MS }), StoreStateError)
  store.close()
})

test('a lease longer than any may be does not begin to wait', async () => {
  const { store } = keeping()
  store.claim(KEY, 'a')
  await assert.rejects(store.claimOrWait(KEY, 'b', { ttlMs: 60_001, waitMs: LONG_MS }), StoreLeaseError)
  assert.equal(store.waiting(KEY), 0)
  store.close()
})

test('while locks of before a restart may be held, none is handed over', async () => {
  const { clock, store } = keeping(10_000)
  await assert.rejects(store.claimOrWait(KEY, 'a', { waitMs: LONG_MS }), StoreGraceError)
  store.set(KEY, 'put there by hand')
  const early = assert.rejects(store.claimOrWait(KEY, 'b', { waitMs: LONG_MS }), StoreGraceError)
  store.delete(KEY)
  await early
  assert.equal(store.get(KEY), undefined)
  store.set(KEY, 'again')
  const late = store.claimOrWait(KEY, 'c', { waitMs: LONG_MS })
  clock.advance(10_001)
  store.delete(KEY)
  assert.ok(await late)
  store.close()
})
