/** `npm run hostile`: every assault at full size, and a table of what it did. About fifteen minutes. */
import type { Figures } from './assault.js'
import { campaign, type Size } from './campaign.js'
import type { DoorKind } from './doors.js'

const full: Size = {
  crowd: 10_000,
  stayMs: 10_000,
  comeAndGo: 50_000,
  passwords: 1_000_000,
  loris: { each: 200, bytes: 60, pauseMs: 1000 },
}

const heads = [
  'door',
  'assault',
  's',
  'resident MiB before, at its height, after',
  'others: p50, p99, worst ms',
  'what',
]

function row({ door, what, seconds, before, during, after, service, words }: Figures): string {
  const memory = [before, during, after].map(({ residentMiB }) => residentMiB).join(', ')
  const others = `${service.p50Ms}, ${service.p99Ms}, ${service.worstMs}`
  return `| ${[door, what, seconds, memory, others, words].join(' | ')} |`
}

console.log(`| ${heads.join(' | ')} |\n|${heads.map(() => ' --- |').join('')}`)
const kinds = process.argv.slice(2) as DoorKind[]
for (const kind of kinds.length === 0 ? (['plain', 'TLS', 'password'] satisfies DoorKind[]) : kinds)
  await campaign(kind, full, (figures) => console.log(row(figures)))
