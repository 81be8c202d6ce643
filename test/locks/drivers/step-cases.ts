/** A driver of several requests an operation: each of them in turn is lost, or its reply, and what is said of it is true. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLocks, type LockDriver, LockUnavailableError, OutcomeUnknownError, type Version } from 'latchkey/locks'
import type { Loss } from '../../support/http-faults.js'
import { call, claimOf, held, ownerOf } from './case.js'

/** What loses one request of many. */
export interface StepFaults {
  readonly count: number
  lose(number: number, what: Loss): void
  heal(): void
}

export interface StepSetting {
  readonly faults: StepFaults
  /** Goes through the faults; never two at a time. */
  create(): LockDriver
  /** Does not. */
  readonly witness: LockDriver
}

const losses: readonly Loss[] = ['request', 'reply']

/** `run` for each request that it makes, as that is lost in either way. */
async function atEachStep(
  { faults, create }: StepSetting,
  prepare: (driver: LockDriver) => Promise<unknown>,
  run: (driver: LockDriver, arm: () => void, at: string) => Promise<void>,
): Promise<void> {
  for (const loss of losses) {
    for (let step = 0, more = true; more; step++) {
      const driver = create()
      await prepare(driver)
      await run(driver, () => faults.lose(step, loss), `${loss} ${step}`)
      more = faults.count > step
      faults.heal()
      await driver.close()
    }
  }
}

async function outcomeOf<R>(promise: Promise<R>): Promise<R | 'nothing done' | 'unknown'> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof OutcomeUnknownError) return 'unknown'
    if (error instanceof LockUnavailableError) return 'nothing done'
    throw error
  }
}

/** What is done before, so that a driver has found out what it wants to know. */
const settle = async (driver: LockDriver) => {
  const lease = held(await driver.claim(claimOf('latchkey:lock:settle'), call))
  await driver.release(lease.key, lease.version, call)
}

export const stepCases: Record<string, (setting: StepSetting) => Promise<void>> = {
  async 'a claim: what is said not to be done is not there; what is unknown is found, or not'(setting) {
    const { witness } = setting
    const seen = new Set<string>()
    let turn = 0
    await atEachStep(setting, settle, async (driver, arm, at) => {
      const mine = claimOf(`latchkey:lock:claim${turn++}`)
      arm()
      const outcome = await outcomeOf(driver.claim(mine, call))
      const isThere = (await ownerOf(witness, mine.key)) === mine.holder.owner
      if (outcome === 'nothing done') assert.ok(!isThere, at)
      else if (outcome !== 'unknown') assert.ok(isThere, at)
      seen.add(`${typeof outcome === 'string' ? outcome : outcome.status} ${isThere}`)
    })
    for (const what of ['unknown true', 'unknown false', 'held true'])
      assert.ok(seen.has(what), `${what} of ${[...seen]}`)
  },

  async 'an extension: what is said not to be done is not; what is unknown has happened, or not, and never half'(
    setting,
  ) {
    const { witness } = setting
    const seen = new Set<string>()
    let turn = 0
    await atEachStep(setting, settle, async (driver, arm, at) => {
      const lease = held(await driver.claim(claimOf(`latchkey:lock:extend${turn++}`), call))
      arm()
      const outcome = await outcomeOf(driver.extend(lease, 20_000, call))
      const found = await witness.find(lease.key, call)
      assert.deepEqual(found?.holder, lease.holder, at)
      assert.equal(found?.fence, lease.fence, at)
      const isDone = found?.version !== lease.version
      assert.notEqual(outcome, undefined, at)
      if (outcome === 'nothing done') assert.ok(!isDone, at)
      else if (outcome !== 'unknown') assert.equal(found?.version, outcome?.version, at)
      seen.add(`${outcome === 'unknown'} ${isDone}`)
    })
    assert.ok(seen.has('true true') && seen.has('true false') && seen.has('false true'), [...seen].join())
  },

  async 'a release: what is said not to be done is not, and what is done again touches nobody else'(setting) {
    const { witness } = setting
    const seen = new Set<string>()
    let turn = 0
    await atEachStep(setting, settle, async (driver, arm, at) => {
      const lease = held(await driver.claim(claimOf(`latchkey:lock:release${turn++}`), call))
      arm()
      const outcome = await outcomeOf(driver.release(lease.key, lease.version, call))
      const isThere = (await ownerOf(witness, lease.key)) !== undefined
      if (outcome === 'nothing done') assert.ok(isThere, at)
      else if (outcome !== 'unknown') assert.equal(isThere, !outcome, at)
      seen.add(`${outcome === 'unknown'} ${isThere}`)
      if (isThere) return
      const next = held(await witness.claim(claimOf(lease.key), call))
      assert.equal(await witness.release(lease.key, lease.version, call), false)
      assert.equal(await ownerOf(witness, lease.key), next.holder.owner)
    })
    assert.ok(seen.has('true true') && seen.has('true false') && seen.has('false false'), [...seen].join())
  },

  async 'a swap: what is said not to be done is not; what is unknown has happened, or not, and is not done again'(
    setting,
  ) {
    const { witness } = setting
    const seen = new Set<string>()
    let turn = 0
    for (const isFirst of [true, false]) {
      await atEachStep(setting, settle, async (driver, arm, at) => {
        const key = `latchkey:lock:swap${turn++}`
        const swap = ({ registers }: LockDriver, value: string, before: Version | undefined) =>
          registers!.swap(key, value, before, 60_000, call)
        const before = isFirst ? undefined : await swap(driver, 'a', undefined)
        arm()
        const outcome = await outcomeOf(swap(driver, 'b', before))
        const found = await witness.registers!.read(key, call)
        const isDone = found?.value === 'b'
        if (!isDone) assert.equal(found?.version, before, at)
        if (outcome === 'nothing done') assert.ok(!isDone, at)
        else if (outcome !== 'unknown') assert.equal(found?.version, outcome, at)
        if (isDone) assert.equal(await swap(witness, 'b', before), undefined, at)
        seen.add(`${outcome === 'unknown'} ${isDone}`)
        arm()
        assert.notEqual(await outcomeOf(driver.registers!.read(key, call)), 'unknown', at)
      })
    }
    for (const what of ['true true', 'true false', 'false true']) assert.ok(seen.has(what), `${what} of ${[...seen]}`)
  },

  async 'a question is never unknown, and locks that are acquired and released through it all leave nothing'(setting) {
    const { witness } = setting
    let turn = 0
    await atEachStep(setting, settle, async (driver, arm) => {
      const locks = createLocks(driver, { deadlineMs: 2000 })
      const name = `whole${turn++}`
      arm()
      assert.notEqual(await outcomeOf(driver.find(`latchkey:lock:${name}`, call)), 'unknown')
      arm()
      const lock = await locks.acquire(name, { ttl: '20s', wait: '20s' })
      assert.equal(await ownerOf(witness, `latchkey:lock:${name}`), lock.owner)
      assert.equal(await lock.release(), 'released')
      for (let tries = 0; (await ownerOf(witness, `latchkey:lock:${name}`)) !== undefined; tries++) {
        assert.ok(tries < 1000, 'left behind')
        await sleep(10)
      }
      await locks.close()
    })
  },
}
