import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { LockArgumentError, type LockDriver, type Registers, type Version } from 'latchkey/locks'
import { type Case, call, clock, collect, held } from './case.js'

const LONG_MS = 3_600_000
const DAY_MS = 86_400_000

const skip: Case['skip'] = ({ registers }) => !registers && 'a majority has no registers'

const cases: readonly Omit<Case, 'skip'>[] = [
  {
    name: 'a register: nothing is there at first; what is swapped in is read, at once and by others too',
    run: async ({ create, key }) => {
      const [one, other] = [registersOf(create()), registersOf(create())]
      assert.equal(await one.read(key('r'), call), undefined)
      const first = await one.swap(key('r'), 'a', undefined, LONG_MS, call)
      assert.deepEqual(await other.read(key('r'), call), { value: 'a', version: first })
      const second = await other.swap(key('r'), '{"ä":"\n😀"}', first, LONG_MS, call)
      assert.notEqual(second, undefined)
      assert.notEqual(second, first)
      assert.deepEqual(await one.read(key('r'), call), { value: '{"ä":"\n😀"}', version: second })
      assert.equal(typeof (await one.swap(key('empty'), '', undefined, LONG_MS, call)), typeof first)
      assert.equal((await other.read(key('empty'), call))?.value, '')
    },
  },
  {
    name: 'a register: a swap with what has been changed does nothing, also when the value is the same again',
    run: async ({ create, key }) => {
      const [one, other] = [registersOf(create()), registersOf(create())]
      const swap = (registers: Registers, value: string, before: Version | undefined) =>
        registers.swap(key('r'), value, before, LONG_MS, call)
      const first = await swap(one, 'a', undefined)
      assert.equal(await swap(other, 'x', undefined), undefined, 'there is something')
      const second = await swap(other, 'b', first)
      assert.equal(await swap(one, 'x', first), undefined, 'changed')
      const third = await swap(other, 'a', second)
      assert.equal(await swap(one, 'x', first), undefined, 'as before, but not the same')
      assert.deepEqual(await one.read(key('r'), call), { value: 'a', version: third })
      assert.equal(await one.swap(key('none'), 'x', third, LONG_MS, call), undefined, 'there is nothing')
      assert.equal(await one.read(key('none'), call), undefined)
    },
  },
  {
    name: 'a register: of many swaps at once with the same version one is done, and it is that one which is there',
    run: async ({ create, key }) => {
      const contenders = [create(), create(), create()].map(registersOf)
      let before: Version | undefined
      for (let round = 0; round < 4; round++) {
        const swaps = Array.from({ length: 12 }, (_, i) =>
          contenders[i % 3].swap(key('r'), `${round} ${i}`, before, LONG_MS, call),
        )
        const versions = await Promise.all(swaps)
        const won = versions.findIndex((version) => version !== undefined)
        assert.equal(versions.filter((version) => version !== undefined).length, 1)
        assert.deepEqual(await contenders[0].read(key('r'), call), { value: `${round} ${won}`, version: versions[won] })
        before = versions[won]
      }
    },
  },
  {
    name: 'a register: many who count in it at once lose nothing',
    run: async ({ create, key }) => {
      const each = 8
      const counters = [create(), create(), create(), create()].map(registersOf)
      await Promise.all(counters.map((registers) => count(registers, key('r'), each)))
      assert.equal((await counters[0].read(key('r'), call))?.value, `${each * counters.length}`)
    },
  },
  {
    name: 'a register and a lock of one name live side by side, and only the lock is listed',
    run: async ({ kind, create, key, claim }) => {
      const driver = create()
      const registers = registersOf(driver)
      const version = await registers.swap(key('k'), 'a', undefined, LONG_MS, call)
      assert.equal(await driver.find(key('k'), call), undefined)
      const lease = held(await driver.claim(claim('k'), call))
      assert.deepEqual(await registers.read(key('k'), call), { value: 'a', version })
      await registers.swap(key('alone'), 'a', undefined, LONG_MS, call)
      if (kind.lists) {
        const found = await collect(driver.list(key(''), call))
        assert.deepEqual(
          found.map((each) => each.key),
          [key('k')],
        )
      }
      assert.equal(await driver.release(lease.key, lease.version, call), true)
      assert.deepEqual(await registers.read(key('k'), call), { value: 'a', version })
    },
  },
  {
    name: 'a register is there until its time is over at least, and then it ends; each swap gives it a new life',
    run: async ({ kind, create, key }) => {
      const registers = registersOf(create())
      const from = clock.now()
      const first = await registers.swap(key('short'), 'a', undefined, kind.shortMs, call)
      const renewed = await registers.swap(key('renewed'), 'a', undefined, kind.shortMs, call)
      await registers.swap(key('renewed'), 'b', renewed, LONG_MS, call)
      if (kind.registersLateMs !== undefined) return
      for (let at = clock.now(); (await registers.read(key('short'), call)) !== undefined; at = clock.now()) {
        assert.ok(at - from < 50_000, 'it never ends')
        await sleep(20)
      }
      assert.ok(clock.now() - from >= kind.shortMs, 'ended early')
      assert.equal(await registers.swap(key('short'), 'b', first, LONG_MS, call), undefined, 'it is over')
      assert.notEqual(await registers.swap(key('short'), 'c', undefined, LONG_MS, call), undefined)
      assert.equal(await registers.swap(key('short'), 'd', first, LONG_MS, call), undefined, 'it is another')
      assert.equal((await registers.read(key('renewed'), call))?.value, 'b')
    },
  },
  {
    name: 'a register may be kept for years',
    run: async ({ create, key }) => {
      const registers = registersOf(create())
      for (const days of [29.9999999, 30, 31, 400, 36_500]) {
        const name = key(`${days}`)
        const version = await registers.swap(name, 'a', undefined, days * DAY_MS, call)
        await registers.swap(name, 'b', version, days * DAY_MS, call)
        assert.equal((await registers.read(name, call))?.value, 'b', `${days} days`)
      }
    },
  },
  {
    name: 'a register takes 4 KiB of text, and refuses more, and what it could not keep',
    run: async ({ create, key }) => {
      const registers = registersOf(create())
      const swap = (value: string, ttlMs: number) => registers.swap(key('r'), value, undefined, ttlMs, call)
      for (const value of [`${'ä'.repeat(2048)}x`, '\0', '\ud800'])
        await assert.rejects(swap(value, LONG_MS), LockArgumentError)
      for (const ttlMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
        await assert.rejects(swap('a', ttlMs), LockArgumentError, `${ttlMs}`)
      assert.equal(await registers.read(key('r'), call), undefined)
      const version = await swap('ä'.repeat(2048), LONG_MS)
      assert.deepEqual(await registers.read(key('r'), call), { value: 'ä'.repeat(2048), version })
    },
  },
  {
    name: 'a register whose name is too long for the engine is refused, and any other is kept',
    run: async ({ create, key }) => {
      const registers = registersOf(create())
      const long = key('n'.repeat(200)).padEnd(249, 'n')
      const swapped = await registers.swap(long, 'a', undefined, LONG_MS, call).catch((error) => error)
      if (swapped instanceof Error) {
        assert.ok(swapped instanceof LockArgumentError, `${swapped}`)
        await assert.rejects(registers.read(long, call), LockArgumentError)
      } else assert.deepEqual(await registers.read(long, call), { value: 'a', version: swapped })
    },
  },
  {
    name: 'a register: who has given up before changes nothing, and hears why',
    run: async ({ create, key }) => {
      const registers = registersOf(create())
      const reason = new Error('enough')
      const given = { ...call, signal: AbortSignal.abort(reason) }
      await assert.rejects(registers.swap(key('r'), 'a', undefined, LONG_MS, given), reason)
      await assert.rejects(registers.read(key('r'), given), reason)
      assert.equal(await registers.read(key('r'), call), undefined)
    },
  },
]

export const registerCases: readonly Case[] = [
  ...cases.map((each) => ({ ...each, skip })),
  {
    name: 'a majority has no registers',
    skip: ({ registers }) => registers && 'one server has them',
    run: async ({ create }) => assert.equal(create().registers, undefined),
  },
]

function registersOf({ kind, registers }: LockDriver): Registers {
  assert.ok(registers, `${kind} has none`)
  return registers
}

/** Adds so many to the number that is there. */
export async function count(registers: Registers, key: string, times: number): Promise<void> {
  for (let done = 0; done < times; ) {
    const found = await registers.read(key, call)
    const next = `${Number(found?.value ?? 0) + 1}`
    if ((await registers.swap(key, next, found?.version, LONG_MS, call)) !== undefined) done++
  }
}
