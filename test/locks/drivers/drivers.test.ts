/** One suite over every driver. Its cases run at once, each with locks of its own, since most have to wait. */
import { type TestContext, test } from 'node:test'
import type { LockDriver } from 'latchkey/locks'
import { abortCases } from './abort-cases.js'
import { basicCases } from './basic-cases.js'
import { type Case, claimOf } from './case.js'
import { fenceCases } from './fence-cases.js'
import { foreignCases } from './foreign-cases.js'
import { type Bench, type DriverKind, kinds } from './kinds.js'
import { registerCases } from './register-cases.js'
import { staleCases } from './stale-cases.js'
import { stormCases } from './storm-cases.js'
import { waitingCases } from './waiting-cases.js'

const cases = [
  ...basicCases,
  ...staleCases,
  ...fenceCases,
  ...foreignCases,
  ...abortCases,
  ...stormCases,
  ...waitingCases,
  ...registerCases,
]
const kindsAtATime = 2

test('every driver', { concurrency: kindsAtATime }, async (t) => {
  await Promise.all(kinds.map((kind) => t.test(kind.name, { concurrency: true }, (own) => playAll(own, kind))))
})

async function playAll(t: TestContext, kind: DriverKind): Promise<void> {
  const bench = await kind.start(t)
  if (bench === undefined) return
  try {
    const run = (one: Case, number: number) => t.test(one.name, (own) => play(own, one, number, kind, bench))
    await Promise.all(cases.map((one, number) => one.alone !== true && run(one, number)))
    for (const [number, one] of cases.entries()) if (one.alone) await run(one, number)
  } finally {
    await bench.stop()
  }
}

async function play(t: TestContext, one: Case, number: number, kind: DriverKind, bench: Bench): Promise<void> {
  const reason = one.skip?.(kind)
  if (reason) return t.skip(reason)
  const drivers: LockDriver[] = []
  const create = () => {
    const driver = bench.create()
    drivers.push(driver)
    return driver
  }
  const key = (name: string) => `latchkey:lock:case${number}:${name}`
  try {
    await one.run({ kind, bench, create, key, claim: (name, changes) => claimOf(key(name), changes) })
  } finally {
    for (const driver of drivers) await driver.close()
  }
}
