/** `npm run fuzz -- [--commands N] [--seed N] [--most N]`: the differential fuzzer, for as long as one likes. */
import { parseArgs } from 'node:util'
import { chosenSeed } from '../../support/seed.js'
import { Campaign } from './campaign.js'
import { ITEM_MAX_BYTES } from './material.js'
import { allTold, summary, unused } from './report.js'
import { startBoth } from './servers.js'

const { values } = parseArgs({
  options: {
    commands: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: `${chosenSeed()}` },
    /** Conversations that differ, after which it stops. */
    most: { type: 'string', default: '10' },
  },
})
const servers = await startBoth(ITEM_MAX_BYTES)
const startedAt = performance.now()
const plan = {
  commands: Number(values.commands),
  seed: Number(values.seed),
  mismatchesMax: Number(values.most),
  progress,
}
const campaign = new Campaign(plan, servers)
await campaign.run()
progress(campaign)
console.log(`\n${allTold(campaign)}\n--seed ${plan.seed}: ${summary(campaign)}`)
if (unused(campaign).length > 0) console.log(`no conversation needed: ${unused(campaign).join(', ')}`)
process.exitCode = campaign.mismatches.length > 0 ? 1 : 0
await servers.stop()

function progress({ total, conversations, mismatches }: Campaign): void {
  const s = ((performance.now() - startedAt) / 1000).toFixed(0)
  const text = `${total} commands, ${conversations} conversations, ${mismatches.length} differ, ${s} s`
  if (process.stderr.isTTY) process.stderr.write(`\r${text}`)
}
