/** A server under 200 connections and random faults, its threads dying now and then (docs/TORTURE.md has long runs). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chosenSeed } from '../support/seed.js'
import { playServer } from './server/run.js'

const isSoak = process.env.LATCHKEY_SOAK === '1'
const seconds = isSoak ? 600 : 10
/** What a server under load may take more after some time, for a start: a leak goes on. A short run is all start. */
const GROWTH_MIB = 64

test(`a server under faults for ${seconds} seconds`, async (t) => {
  const seed = chosenSeed()
  const { faults, ...figures } = await playServer({ seconds, seed })
  t.diagnostic(JSON.stringify({ seed, ...figures }))
  assert.deepEqual(faults.slice(0, 5), [], `LATCHKEY_FUZZ_SEED=${seed}`)
  const [early, late] = figures.residentMib
  if (isSoak) assert.ok(late < early + GROWTH_MIB, `resident memory grew from ${early} to ${late} MiB`)
  assert.ok(figures.histories > 20 && figures.pipelined > 1000, 'the clients were answered')
  assert.ok(figures.unknown > 0 && figures.threadDeaths > 0, 'there were faults')
  assert.ok(figures.evictions > 0, 'there was not room for all')
})
