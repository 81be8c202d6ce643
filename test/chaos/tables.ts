/** The figures of a run as tables of Markdown. */
import type { DeathsFigures } from './deaths/run.js'
import type { ServerFigures } from './server/run.js'

type Row = readonly [what: string, count: number | string]

function table(head: string, rows: readonly Row[]): string {
  return [`| ${head} | |`, '|---|---:|', ...rows.map(([what, count]) => `| ${what} | ${shown(count)} |`), ''].join('\n')
}

function shown(count: number | string): string {
  return typeof count === 'number' ? count.toLocaleString('en-US') : count
}

function both(one: number, other: number): string {
  return `${shown(one)} and ${shown(other)}`
}

export function deathsTable(figures: DeathsFigures): string {
  const { undecided, byDeed } = figures
  const kinds = Object.entries(byDeed).sort(([, one], [, other]) => other - one)
  return table('threads that die', [
    ['threads terminated', figures.deaths],
    ['caught holding a lock, at a write drawn by lot', figures.caughtAtWrites],
    ['caught holding a lock, at any moment', figures.caughtAnywhere],
    ['of these, holding the list of free pages', figures.caughtWithPool],
    ['caught in', kinds.map(([deed, count]) => `${deed} ${count}`).join(', ')],
    ['stripes repaired', figures.repairs],
    ['operations of all threads', figures.operations],
    ['claims granted, of these by hand-over', both(figures.grants, figures.handOvers)],
    ['items evicted', figures.evictions],
    ['changes a thread died in: not done, done, item lost', Object.values(undecided).join(', ')],
    ['items dropped by repairs', figures.repairDropped],
    ['operations that gave up a lock', figures.lockTimeouts],
    ['seconds', Math.round(figures.seconds)],
    ['values torn, foreign, or lost; tokens that fell; broken invariants; threads blocked', figures.faults.length],
  ])
}

export function serverTable(figures: ServerFigures): string {
  const mib = figures.residentMib.map((one) => Math.round(one)).join(' → ')
  return table('a server under faults', [
    ['seconds', figures.seconds],
    ['connections at a time', figures.connections],
    ['connections taken', figures.connectionsTaken],
    ['threads of the server terminated', figures.threadDeaths],
    ['processes with clients killed', figures.clientProcessDeaths],
    [
      'operations answered; failed, perhaps done; never sent',
      [figures.answered, figures.unknown, figures.unsent].map(shown).join('; '),
    ],
    ['pipelined requests answered, each in its place', figures.pipelined],
    ['histories of keys checked for linearizability', figures.histories],
    ['items gone from these, and evictions of these told by name', both(figures.vanished, figures.vanishedAndTold)],
    ['evictions, and those told', both(figures.evictions, figures.evictionsHeard)],
    ['stripes repaired, items dropped by that', both(figures.repairs, figures.repairDropped)],
    ['resident memory, MiB: second and last quarter', mib],
    ['descriptors before and after', figures.descriptors.join(' → ')],
    ['items at the end, by `stats` and by a dump', figures.items],
    ['histories that cannot be, replies mixed up, tokens that fell, losses not accounted for', figures.faults.length],
  ])
}
