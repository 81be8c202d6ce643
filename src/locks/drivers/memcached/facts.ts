/** What a server promises, read off its statistics. */
import type { Facts } from '../../driver.js'
import type { Line } from './dialect.js'
import { speaksLatchkey } from './dialect.js'
import { type Standing, statsOf } from './standing.js'

/** What Latchkey pins unless it is told otherwise. */
const PINNED = 'latchkey:lock:'

type Rows = Readonly<Record<string, string>>

export async function factsOf(key: string, line: Line, { keepsState }: Standing): Promise<Facts> {
  const { client, session, call } = line
  const rows = await statsOf(client, '', session, key, call)
  const settings = await statsOf(client, 'settings', session, key, call)
  if (speaksLatchkey(session)) return latchkeyFacts(key, line, keepsState, settings)
  return {
    what: `memcached ${session.version || 'of unknown version'} at ${session.server}`,
    evicts: evictsAtAll(settings),
    survivesRestart: false,
    granularityMs: 1000,
    queues: false,
    remote: true,
    notes: [
      'Fences are drawn from counters on the server. If it loses them, by a restart or by eviction, they go on from its clock in microseconds: they go back only if that clock was set back over a restart.',
      ...(session.meta ? [] : ['Without meta commands every step takes two round trips.']),
      ...evictionNotes(rows, settings),
    ],
  }
}

function latchkeyFacts(key: string, { session }: Line, keepsState: boolean, settings: Rows): Facts {
  const isPinned = key.startsWith(PINNED)
  return {
    what: `Latchkey ${session.version.replace(/^.*-latchkey\./, '')} at ${session.server}`,
    evicts: isPinned ? false : evictsAtAll(settings) === false ? false : undefined,
    survivesRestart: keepsState,
    granularityMs: 0,
    queues: true,
    remote: true,
    notes: [
      ...(isPinned ? [] : [`Only keys under its pinned prefixes are never evicted, by default ${PINNED}`]),
      ...(keepsState ? [] : ['Without --state-dir it forgets all leases when it restarts.']),
    ],
  }
}

function evictsAtAll({ evictions }: Rows): boolean | undefined {
  return evictions === undefined ? undefined : evictions !== 'off'
}

function evictionNotes({ evictions, curr_items: items }: Rows, settings: Rows): string[] {
  if (evictsAtAll(settings) === false) return []
  const notes = [
    'When its memory is full it evicts locks like anything else; with -M it would refuse new items instead.',
  ]
  if (Number(evictions) > 0) notes.push(`It has evicted ${evictions} items since its start: do not keep locks there.`)
  else if (Number(items) > 0) notes.push(`It has ${items} items, and has evicted none since its start.`)
  return notes
}
