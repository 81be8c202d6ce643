/** Threads of one store die in the middle of operations, and nothing is torn, lost or stuck (docs/TORTURE.md has long runs). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chosenSeed } from '../support/seed.js'
import { playDeaths } from './deaths/run.js'

const deaths = process.env.LATCHKEY_SOAK === '1' ? 2000 : 60

test(`${deaths} threads die in the middle of operations`, async (t) => {
  const seed = chosenSeed()
  const { faults, ...figures } = await playDeaths({ deaths, seed })
  t.diagnostic(JSON.stringify({ seed, ...figures }))
  assert.deepEqual(faults.slice(0, 5), [], `LATCHKEY_FUZZ_SEED=${seed}`)
  // A death that hits nothing proves nothing.
  const { caughtAnywhere, caughtAtWrites, repairs, repairDropped, undecided } = figures
  assert.ok(figures.deaths >= deaths && caughtAtWrites > deaths / 3, `only ${caughtAtWrites} were caught`)
  assert.ok(Object.keys(figures.byDeed).length >= 5, `caught in ${JSON.stringify(figures.byDeed)} only`)
  assert.ok(repairs >= caughtAnywhere + caughtAtWrites - figures.caughtWithPoolOnly, 'each stripe was repaired')
  assert.ok(undecided['lost in place'] <= repairDropped, 'what a death cost is counted')
  assert.ok(figures.grants > 0 && figures.handOvers > 0 && figures.evictions > 0, 'the test did what it is for')
  // Told just before it is counted: a death may come between.
  assert.ok(figures.evictionsSeen - figures.evictions <= figures.deaths && figures.evictionsSeen >= figures.evictions)
})
