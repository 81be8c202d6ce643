/** What a quorum says of an extension that not every server has answered, and of servers that evict. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Facts, type LockDriver, LockUnavailableError, OutcomeUnknownError, quorumOf } from 'latchkey/locks'
import { quorumFacts } from '#dist/locks/drivers/quorum/facts.js'
import { call, claimOf, held } from '../drivers/case.js'

/** A server of one lock, which does what is said of it. */
class Member {
  owner: string | undefined
  version = 1n
  extend: LockDriver['extend'] = async (lease) => {
    if (lease.holder.owner !== this.owner || lease.version !== this.version) return undefined
    return { ...lease, version: ++this.version, from: performance.now(), granularityMs: 0 }
  }
  claim: LockDriver['claim'] = async (claim) => {
    if (this.owner !== undefined) return { status: 'busy', found: undefined, queued: false }
    this.owner = claim.holder.owner
    const lease = { ...claim, version: ++this.version, from: performance.now(), granularityMs: 0 }
    return { status: 'held', lease: { ...lease, fence: claim.fence }, floor: 0n }
  }

  get driver(): LockDriver {
    return {
      kind: 'member',
      claim: (...of) => this.claim(...of),
      extend: (...of) => this.extend(...of),
      raise: async () => 0n,
      release: async (_key, version) => {
        const isThere = this.owner !== undefined && this.version === version
        if (isThere) this.owner = undefined
        return isThere
      },
      find: async (key) => {
        const { owner, version } = this
        if (owner === undefined) return undefined
        return { key, holder: { owner }, fence: 1n, version, leftMs: 10_000, waiters: undefined }
      },
      async *list() {},
      facts: async () => assert.fail('nobody asks'),
      close: async () => undefined,
    }
  }
}

const three = () => [new Member(), new Member(), new Member()] as const
const unavailable = async () => {
  throw new LockUnavailableError('x', 'it is away')
}

test('a lock that another has is busy, and not unavailable, whichever server answers last', async () => {
  const members = three()
  members[0].claim = unavailable
  for (const { driver } of members.slice(1)) held(await driver.claim(claimOf('x'), call))
  const claim = members[2].claim
  members[2].claim = async (...of) => {
    await sleep(20)
    return claim(...of)
  }
  const driver = quorumOf(members.map(({ driver }) => driver))
  assert.equal((await driver.claim(claimOf('x'), call)).status, 'busy')
  members[2].claim = unavailable
  await assert.rejects(driver.claim(claimOf('x'), call), LockUnavailableError)
})

test('an extension that one server has not answered yet is in doubt: its version may change', async () => {
  const members = three()
  const driver = quorumOf(members.map(({ driver }) => driver))
  const lease = held(await driver.claim(claimOf('x'), call))
  members[0].extend = unavailable
  members[1].extend = unavailable
  members[2].extend = () => new Promise(() => undefined)
  await assert.rejects(driver.extend(lease, 10_000, call), OutcomeUnknownError)
})

test('what is left of a lost lock is taken away also where nobody has answered', async () => {
  const members = three()
  const driver = quorumOf(members.map(({ driver }) => driver))
  const lease = held(await driver.claim(claimOf('x'), call))
  members[0].owner = undefined
  members[1].owner = undefined
  members[2].extend = unavailable
  assert.equal(await driver.extend(lease, 10_000, call), undefined)
  await driver.close()
  assert.equal(members[2].owner, undefined)
})

test('one server that evicts is enough for a lock to be lost, which may have no more than a majority', () => {
  const facts = (evicts: boolean | undefined) =>
    ({ evicts, notes: [], granularityMs: 0, what: 'one' }) as unknown as Facts
  assert.equal(quorumFacts([facts(false), facts(true), facts(undefined)], 3, 2).evicts, true)
  assert.equal(quorumFacts([facts(false), facts(false), facts(undefined)], 3, 2).evicts, undefined)
  assert.equal(quorumFacts([facts(false), facts(false), facts(false)], 3, 2).evicts, false)
})
