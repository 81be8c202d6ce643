/** A driver that tells of what it is asked. */
import type { Claim, ClaimResult, LockDriver } from 'latchkey/locks'

/** `claimed`: also of what became of claims. */
export function counted(
  driver: LockDriver,
  asked: () => void,
  claimed: (claim: Claim, result: ClaimResult) => void = () => undefined,
): LockDriver {
  const told = <R>(answer: R): R => {
    asked()
    return answer
  }
  return {
    kind: driver.kind,
    claim: async (claim, call) => {
      const result = await told(driver.claim(claim, call))
      claimed(claim, result)
      return result
    },
    extend: (...args) => told(driver.extend(...args)),
    raise: (...args) => told(driver.raise!(...args)),
    release: (...args) => told(driver.release(...args)),
    find: (...args) => told(driver.find(...args)),
    list: (...args) => told(driver.list(...args)),
    facts: (...args) => told(driver.facts(...args)),
    close: () => driver.close(),
  }
}
