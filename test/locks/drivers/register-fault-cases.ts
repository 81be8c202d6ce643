/** What is said of registers, and what the server has, when requests or replies are lost on the way. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { LockUnavailableError, OutcomeUnknownError } from 'latchkey/locks'
import { call } from './case.js'
import { eventually, type FaultSetting, until } from './fault-cases.js'

const LONG_MS = 3_600_000
const key = (name: string) => `latchkey:lock:register-${name}`

function registersOf({ driver, witness }: FaultSetting) {
  return { mine: driver.registers!, theirs: witness.registers! }
}

export const registerFaultCases: Record<string, (setting: FaultSetting) => Promise<void>> = {
  async 'the reply to a swap is lost: unknown, it is done, and not done again'(setting) {
    const { proxy } = setting
    const { mine, theirs } = registersOf(setting)
    const first = await mine.swap(key('reply'), 'a', undefined, LONG_MS, call)
    proxy.losing = 'replies'
    const result = mine.swap(key('reply'), 'b', first, LONG_MS, call)
    result.catch(() => undefined)
    await until(async () => (await theirs.read(key('reply'), call))?.value === 'b')
    proxy.cutAll()
    await assert.rejects(result, OutcomeUnknownError)
    await proxy.heal()
    const found = await eventually(() => mine.read(key('reply'), call))
    assert.equal(found?.value, 'b')
    assert.equal(await mine.swap(key('reply'), 'b', first, LONG_MS, call), undefined)
    assert.notEqual(await mine.swap(key('reply'), 'c', found?.version, LONG_MS, call), undefined)
  },

  async 'a swap is lost: unknown, and it is not done'(setting) {
    const { proxy } = setting
    const { mine } = registersOf(setting)
    const first = await mine.swap(key('request'), 'a', undefined, LONG_MS, call)
    proxy.losing = 'requests'
    const result = mine.swap(key('request'), 'b', first, LONG_MS, call)
    result.catch(() => undefined)
    await sleep(50)
    proxy.cutAll()
    await assert.rejects(result, OutcomeUnknownError)
    await proxy.heal()
    assert.deepEqual(await eventually(() => mine.read(key('request'), call)), { value: 'a', version: first })
  },

  async 'a register that nobody tells of in time is no unknown outcome'(setting) {
    const { mine } = registersOf(setting)
    setting.proxy.losing = 'replies'
    await assert.rejects(mine.read(key('late'), { ...call, deadlineMs: 50 }), LockUnavailableError)
  },

  async 'a server that is down: its registers are unavailable, and nothing is done'(setting) {
    const { proxy } = setting
    const { mine, theirs } = registersOf(setting)
    await proxy.refuse()
    proxy.cutAll()
    const swap = () => mine.swap(key('down'), 'a', undefined, LONG_MS, call)
    await until(async () => (await swap().catch((error) => error)) instanceof LockUnavailableError)
    await assert.rejects(swap(), LockUnavailableError)
    assert.equal(await theirs.read(key('down'), call), undefined)
  },
}
