/**
 * The same conversations with Latchkey and with Debian's memcached: the replies must be the same byte by byte, but for a
 * list. LATCHKEY_FUZZ_SEED plays a run again, LATCHKEY_FUZZ_COMMANDS makes it shorter; `npm run fuzz` makes it longer.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirePeer } from '../support/peers.js'
import { chosenSeed } from '../support/seed.js'
import { Campaign } from './differential/campaign.js'
import { notAsked } from './differential/differences.js'
import { ITEM_MAX_BYTES } from './differential/material.js'
import { play } from './differential/play.js'
import { allTold, summary, unused } from './differential/report.js'
import { Seat } from './differential/seat.js'
import { startBoth } from './differential/servers.js'

const million = 1_000_000
const commands = Number(process.env.LATCHKEY_FUZZ_COMMANDS ?? million)

test(`differential: ${commands} commands`, async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  const seed = chosenSeed()
  const servers = await startBoth(ITEM_MAX_BYTES)
  try {
    const campaign = new Campaign({ commands, seed, mismatchesMax: 3 }, servers)
    await campaign.run()
    for (const line of summary(campaign).split('\n')) t.diagnostic(line)
    assert.ok(servers.ours.alive(), servers.ours.stderr())
    assert.equal(campaign.mismatches.length, 0, `LATCHKEY_FUZZ_SEED=${seed}:${allTold(campaign)}`)
    if (commands >= million) assert.deepEqual(unused(campaign), [], 'listed, and needed by none of a million')
  } finally {
    await servers.stop()
  }
})

test('differential: items of a mebibyte', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  const servers = await startBoth(2 ** 20)
  try {
    const campaign = new Campaign({ commands: 800, seed: chosenSeed(), mismatchesMax: 1, large: 2 ** 20 }, servers)
    await campaign.run()
    assert.equal(campaign.mismatches.length, 0, allTold(campaign))
  } finally {
    await servers.stop()
  }
})

test('what is not asked would be answered differently', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  const servers = await startBoth(ITEM_MAX_BYTES)
  const [ours, theirs] = [new Seat(servers.ours, 0), new Seat(servers.theirs, 0)]
  try {
    for (const { name, example } of notAsked) {
      const asked = example.map((text) => ({ protocol: 'classic', on: 0, text, waits: false, closes: false }) as const)
      const conversation = { seed: 0, lane: 0, delivery: 'steps', alone: false, commands: asked } as const
      const mismatch = await play(conversation, ours, theirs, () => {})
      assert.ok(mismatch !== undefined, `${name}: both answer the same`)
    }
  } finally {
    ours.close()
    theirs.close()
    await servers.stop()
  }
})
