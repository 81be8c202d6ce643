/** A minority of the servers fails in every way there is: locks go on, those that are held stay so, and nobody else gets them. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LockDriver, LockUnavailableError } from 'latchkey/locks'
import { claimOf, held, ownerOf, call as patient } from '../drivers/case.js'
import { Servers } from './servers.js'

const LEASE_MS = 20_000
/** Short, so that a server that says nothing is not waited for. */
const call = { ...patient, deadlineMs: 4000 }

const claim = (name: string) => claimOf(`latchkey:lock:${name}`, { ttlMs: LEASE_MS })

interface Failing {
  readonly name: string
  fail(servers: Servers, at: number): Promise<void> | void
  mend(servers: Servers, at: number): Promise<void> | void
}

const failings: readonly Failing[] = [
  {
    name: 'killed, and started again with nothing',
    fail: (servers, at) => servers.restart(at),
    mend: () => undefined,
  },
  {
    name: 'paused',
    fail: (servers, at) => void process.kill(servers.member(at).server.pid, 'SIGSTOP'),
    mend: (servers, at) => void process.kill(servers.member(at).server.pid, 'SIGCONT'),
  },
  {
    name: 'cut off: nothing arrives, in either direction',
    fail: (servers, at) => servers.member(at).proxy.hang(),
    mend: (servers, at) => servers.member(at).proxy.resume(),
  },
  {
    name: 'half cut off: requests arrive, replies do not',
    fail: (servers, at) => {
      servers.member(at).proxy.losing = 'replies'
    },
    mend: (servers, at) => {
      servers.member(at).proxy.losing = undefined
      servers.member(at).proxy.cutAll()
    },
  },
]

for (const count of [3, 5]) {
  test(`${count} servers`, { concurrency: false }, async (t) => {
    const servers = await Servers.start(count)
    try {
      for (const [at, failing] of failings.entries())
        await t.test(failing.name, (own) => minorityFails(own, servers, `of${count}-${at}`, failing))
      await t.test('a majority is gone: nobody gets a lock, and nothing is left of the try', () =>
        majorityFails(servers),
      )
    } finally {
      await servers.stop()
    }
  })
}

async function minorityFails(t: TestContext, servers: Servers, name: string, { fail, mend }: Failing) {
  const minority = Array.from({ length: (servers.all.length - 1) / 2 }, (_, at) => at)
  const [ours, theirs] = [servers.quorum(), servers.quorum()]
  const lease = await inTime(() => claimed(ours, `held-${name}`))
  for (const at of minority) await fail(servers, at)
  await t.test('who holds goes on holding, and nobody else gets it', async () => {
    await busy(theirs, `held-${name}`)
    const extended = await inTime(() => ours.extend(lease, LEASE_MS, call))
    assert.equal(extended?.fence, lease.fence)
    await busy(theirs, `held-${name}`)
    assert.equal(await ownerOf(theirs, lease.key), lease.holder.owner)
    assert.equal(await ours.release(lease.key, extended!.version, call), true)
  })
  await t.test('others are taken, released, and taken again with greater fences', async () => {
    let last = 0n
    for (const driver of [ours, theirs, ours]) {
      const next = await inTime(() => claimed(driver, `fresh-${name}`))
      assert.ok(next.fence! > last, `${next.fence} after ${last}`)
      last = next.fence!
      assert.equal(await driver.release(next.key, next.version, call), true)
    }
  })
  for (const at of minority) await mend(servers, at)
  await t.test('and when it is over nothing of it is left anywhere', async () => {
    for (const { direct } of servers.all) {
      for (const key of [`held-${name}`, `fresh-${name}`])
        await untilGone(direct, `latchkey:lock:${key}`, lease.holder.owner)
    }
  })
}

async function majorityFails(servers: Servers): Promise<void> {
  const driver = servers.quorum()
  const majority = [0, 1, 2].slice(0, (servers.all.length + 1) / 2)
  for (const at of majority) servers.member(at).proxy.hang()
  await assert.rejects(driver.claim(claim('none'), call), LockUnavailableError)
  for (const at of majority) servers.member(at).proxy.resume()
  for (const { direct } of servers.all) await untilGone(direct, 'latchkey:lock:none')
  await inTime(async () => {
    const { status } = await driver.claim(claim('none'), call)
    // A vote that was held back on its way may come only now, and is then taken back.
    if (status === 'busy') throw new LockUnavailableError('none', 'a vote has come late')
  })
}

async function claimed(driver: LockDriver, name: string) {
  return held(await driver.claim(claim(name), call))
}

async function busy(driver: LockDriver, name: string): Promise<void> {
  const result = await driver.claim(claim(name), call).catch((error) => error)
  if (result instanceof Error) assert.ok(result instanceof LockUnavailableError, `${result}`)
  else assert.equal(result.status, 'busy')
}

/** A connection that has just been cut is not there yet: that may be tried again, and nothing else. */
async function inTime<T>(act: () => Promise<T>): Promise<T> {
  for (const giveUpAt = performance.now() + 20_000; ; await sleep(20)) {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof LockUnavailableError) || performance.now() > giveUpAt) throw error
    }
  }
}

/** What was left is taken back in the background. Less than the lease, so that it did not merely end. */
async function untilGone(driver: LockDriver, key: string, holder = ''): Promise<void> {
  for (const giveUpAt = performance.now() + LEASE_MS / 2; ; await sleep(20)) {
    const found = await driver.find(key, patient).catch(() => 'unknown' as const)
    if (found === undefined) return
    const whose =
      found === 'unknown' ? 'nobody knows whose' : found.holder.owner === holder ? 'the holder’s' : 'a rival’s'
    assert.ok(performance.now() < giveUpAt, `${key} is still there: ${whose}`)
  }
}
