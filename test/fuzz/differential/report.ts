/** What a campaign has done and found, for people. */
import type { Campaign } from './campaign.js'
import { byChance, listed } from './differences.js'
import { told } from './shrink.js'

export function summary(campaign: Campaign): string {
  const { commands, conversations, mismatches, reasons } = campaign
  const counts = Object.entries(commands).map(([protocol, count]) => `${count} ${protocol}`)
  const uses = [...listed, ...byChance].map(
    ({ name, reason }) => `${`${reasons.get(name) ?? 0}`.padStart(9)}  ${name}: ${reason}`,
  )
  return [
    `${campaign.total} commands (${counts.join(', ')}) in ${conversations} conversations, ${mismatches.length} of which differed`,
    'explained, or not asked:',
    ...uses,
  ].join('\n')
}

/** Listed, and needed by no conversation. */
export function unused({ reasons }: Campaign): string[] {
  return listed.filter(({ name }) => !reasons.has(name)).map(({ name }) => name)
}

export function allTold({ mismatches }: Campaign): string {
  return mismatches.map((mismatch) => `\n${told(mismatch)}\n`).join('')
}
