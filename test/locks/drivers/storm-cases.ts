import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { LockUnavailableError, OutcomeUnknownError } from 'latchkey/locks'
import { type Case, call, clock } from './case.js'

const driverCount = 6
const roundsEach = 15
const enough = 20_000

interface Tenure {
  /** When the claim had been answered. */
  readonly from: number
  /** Just before the release was sent, or the end of the lease. */
  readonly to: number
  readonly fence: bigint
}

export const stormCases: readonly Case[] = [
  {
    name: 'many who claim, hold, release or forget: never two at a time, and fences rise in the order of holding',
    run: async ({ kind, create, claim }) => {
      const tenures: Tenure[] = []
      const startedAt = clock.now()
      const inTime = () => clock.now() - startedAt < enough
      const one = async (index: number) => {
        const driver = create()
        for (let round = 0; round < roundsEach && inTime(); ) {
          // What nobody knows the end of is no lock: it ends by itself.
          const result = await driver.claim(claim('k', { ttlMs: kind.shortMs }), call).catch(ofUnknown)
          if (result?.status !== 'held') {
            await sleep(Math.random() * 5)
            continue
          }
          const { lease } = result
          const from = clock.now()
          const until = lease.from + kind.shortMs - lease.granularityMs
          // The first of them forgets it once, as one that dies does.
          const forgets = round++ === 3 && index === 0
          await sleep(Math.random() * 3)
          // What came too late was never believed.
          if (from < until)
            tenures.push({ from, to: forgets ? until : Math.min(clock.now(), until), fence: lease.fence! })
          if (!forgets) await driver.release(lease.key, lease.version, call).catch(ofUnknown)
        }
      }
      await Promise.all(Array.from({ length: driverCount }, (_, index) => one(index)))
      assert.ok(tenures.length > driverCount, `${tenures.length} holders`)
      tenures.sort((a, b) => a.from - b.from)
      for (const [i, { from, fence }] of tenures.slice(1).entries()) {
        assert.ok(from >= tenures[i].to, `two held it: ${tenures[i].to - from} ms`)
        assert.ok(fence > tenures[i].fence, `fence ${fence} after ${tenures[i].fence}`)
      }
    },
  },
]

/** On a busy machine an engine may end what has taken as long as the lease. */
function ofUnknown(error: unknown): undefined {
  if (!(error instanceof OutcomeUnknownError || error instanceof LockUnavailableError)) throw error
}
