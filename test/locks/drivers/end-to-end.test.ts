/** The whole: locks as people use them, on each driver. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { createLocks, LockBusyError } from 'latchkey/locks'
import { type DriverKind, kinds } from './kinds.js'

// They wait most of the time.
const kindsAtATime = 4

test('every driver', { concurrency: kindsAtATime }, async (t) => {
  await Promise.all(kinds.map((kind) => t.test(kind.name, (own) => play(own, kind))))
})

async function play(t: TestContext, kind: DriverKind): Promise<void> {
  const bench = await kind.start(t)
  if (bench === undefined) return
  // A lock alone keeps no process going.
  const going = setInterval(() => undefined, 1000)
  const drivers = [bench.create(), bench.create()]
  const [ours, theirs] = drivers.map((driver) => createLocks(driver, { deadlineMs: 20_000 }))
  try {
    await t.test('acquired, busy for others, waited for, handed over with a greater fence', async () => {
      const first = await ours.acquire('k', { ttl: '20s' })
      await assert.rejects(theirs.acquire('k'), LockBusyError)
      const second = theirs.acquire('k', { ttl: '20s', wait: '20s' })
      assert.equal(await first.release(), 'released')
      const lock = await second
      assert.ok(lock.fence! > first.fence!)
      assert.equal(await first.release(), 'released', 'told again what became of it')
      lock.assertHeld()
      assert.equal(await lock.release(), 'released')
    })

    await t.test('a lock that somebody takes away says so by its signal, before its lease is over', async () => {
      const lock = await ours.acquire('taken', { ttl: '6s' })
      await bench.stranger.delete('latchkey:lock:taken')
      const endsAt = performance.now() + lock.remainingMs()
      if (!lock.signal.aborted) await once(lock.signal, 'abort')
      assert.ok(performance.now() < endsAt, 'only when it was over anyway')
      assert.equal(lock.state, 'lost')
      assert.throws(() => lock.assertHeld(), { code: 'LOCK_LOST' })
      assert.equal(await lock.release(), 'lost')
      await using next = await theirs.acquire('taken')
      assert.ok(next.fence! > lock.fence!)
    })
  } finally {
    clearInterval(going)
    await Promise.all([ours.close(), theirs.close()])
    await Promise.all(drivers.map((driver) => driver.close()))
    await bench.stop()
  }
}
