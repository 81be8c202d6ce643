/** What makes a majority: fences over servers that differ, votes that are split, lost, and given again. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  createLocks,
  LockArgumentError,
  type LockDriver,
  LockUnavailableError,
  quorum,
  quorumOf,
  store,
} from 'latchkey/locks'
import { Store } from 'latchkey/store'
import { claimOf, held, ownerOf, call as patient } from '../drivers/case.js'
import { MAX_LEASE_MS, Servers } from './servers.js'

let servers: Servers

before(async () => {
  servers = await Servers.start(3)
})

after(() => servers.stop())

/** Short, so that a server that says nothing is not waited for. */
const call = { ...patient, deadlineMs: 4000 }

const claim = (name: string, changes = {}) => claimOf(`latchkey:lock:${name}`, changes)

test('an even number, too few, and servers that cannot be told of a fence are refused', async () => {
  const address = ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3', '127.0.0.1:4']
  assert.throws(() => quorum({ servers: address }), LockArgumentError)
  assert.throws(() => quorum({ servers: address.slice(0, 2) }), LockArgumentError)
  const own = new Store({ memory: '1mb' })
  assert.throws(() => quorumOf([store(own), store(own), store(own)]), LockArgumentError)
  own.close()
})

test('a fence is above what a majority was told of, whoever told it', async () => {
  const driver = servers.quorum()
  const first = held(await driver.claim(claim('f'), call))
  await driver.release(first.key, first.version, call)
  // As somebody's would be whose clock is an hour ahead.
  const ahead = first.fence! + 3_600_000_000n * 4096n
  for (const at of [0, 1]) await servers.member(at).direct.raise!(first.key, ahead, call)
  for (const other of [servers.quorum(), driver]) {
    const next = held(await other.claim(claim('f'), call))
    assert.ok(next.fence! > ahead, `${next.fence}, though ${ahead} was known`)
    assert.equal((await other.find(next.key, call))?.fence, next.fence)
    await other.release(next.key, next.version, call)
  }
})

test('each server that has granted a lock has been told of its fence', async () => {
  const driver = servers.quorum()
  const lease = held(await driver.claim(claim('told'), call))
  const floors = await Promise.all(servers.all.map(({ direct }) => direct.raise!(lease.key, 0n, call)))
  assert.ok(floors.filter((floor) => floor >= lease.fence!).length >= 2, `${floors} for ${lease.fence}`)
  await driver.release(lease.key, lease.version, call)
})

test('a fence that one server alone knew of does not keep anybody back', async () => {
  const driver = servers.quorum()
  const lease = held(await driver.claim(claim('one'), call))
  await driver.release(lease.key, lease.version, call)
  await servers.member(2).direct.raise!(lease.key, lease.fence! + 10n ** 15n, call)
  const next = held(await driver.claim(claim('one'), call))
  assert.ok(next.fence! > lease.fence!)
  await driver.release(next.key, next.version, call)
})

test('votes of those who did not win are given back: after a storm all is free at once', async () => {
  const drivers = Array.from({ length: 6 }, () => servers.quorum())
  let holders = 0
  let most = 0
  let last = 0n
  const contend = async (driver: LockDriver) => {
    for (let round = 0; round < 15; round++) {
      const result = await driver.claim(claim('storm', { ttlMs: 30_000 }), call)
      if (result.status !== 'held') {
        await sleep(Math.random() * 20)
        continue
      }
      most = Math.max(most, ++holders)
      assert.ok(result.lease.fence! > last, `${result.lease.fence} after ${last}`)
      last = result.lease.fence!
      await sleep(2)
      holders--
      assert.equal(await driver.release(result.lease.key, result.lease.version, call), true)
    }
  }
  await Promise.all(drivers.map(contend))
  assert.equal(most, 1)
  assert.notEqual(last, 0n, 'nobody ever had it')
  const lease = held(await drivers[0].claim(claim('storm'), call))
  await drivers[0].release(lease.key, lease.version, call)
})

test('a vote that comes after the lock was released is taken back', async () => {
  const driver = servers.quorum()
  const { proxy, direct } = servers.member(2)
  held(await driver.claim(claim('warm-up'), call))
  proxy.hang()
  const lease = held(await driver.claim(claim('late'), call))
  assert.equal(await driver.release(lease.key, lease.version, call), true)
  proxy.resume()
  for (const giveUpAt = performance.now() + 10_000; ; await sleep(20)) {
    const isGone = (await direct.find(lease.key, call)) === undefined
    const later = await driver.claim(claim('late-probe'), call)
    if (later.status === 'held') await driver.release(later.lease.key, later.lease.version, call)
    if (isGone) break
    assert.ok(performance.now() < giveUpAt, 'the late vote stayed')
  }
})

test('servers restart one after the other: a lock that is renewed stays, by votes given anew', async () => {
  const [driver, theirs] = [servers.quorum(), servers.quorum()]
  const locks = createLocks(driver, { deadlineMs: call.deadlineMs })
  const lock = await locks.acquire('rolling', { ttl: '4s', wait: '30s' })
  for (const at of [0, 1, 2]) {
    await servers.restart(at)
    // Until it has its vote again, and has given it.
    while ((await ownerOf(servers.member(at).direct, `latchkey:lock:rolling`).catch(() => undefined)) !== lock.owner) {
      lock.assertHeld()
      const rival = await theirs.claim(claim('rolling', { ttlMs: MAX_LEASE_MS }), call).catch((error) => error)
      if (rival instanceof Error) assert.ok(rival instanceof LockUnavailableError, `${rival}`)
      else assert.equal(rival.status, 'busy')
      await sleep(50)
    }
  }
  assert.equal(await lock.release(), 'released')
  await locks.close()
})

test('a restarted minority cannot make a second majority with one that never heard of the lock', async () => {
  const [ours, theirs] = [servers.quorum('wait'), servers.quorum('wait')]
  await granted(ours, 'warm')
  servers.member(2).proxy.hang()
  const lease = await granted(ours, 'split')
  await servers.restart(0)
  servers.member(2).proxy.resume()
  const until = lease.from + MAX_LEASE_MS
  while (performance.now() < until) {
    const rival = await theirs.claim(claim('split', { ttlMs: MAX_LEASE_MS }), call).catch((error) => error)
    const isRefused = rival instanceof LockUnavailableError || rival.status === 'busy'
    assert.ok(isRefused || performance.now() >= until, 'two hold')
    await sleep(20)
  }
})

async function granted(driver: LockDriver, name: string) {
  for (const giveUpAt = performance.now() + 20_000; ; await sleep(50)) {
    try {
      return held(await driver.claim(claim(name, { ttlMs: MAX_LEASE_MS }), call))
    } catch (error) {
      if (!(error instanceof LockUnavailableError) || performance.now() > giveUpAt) throw error
    }
  }
}
