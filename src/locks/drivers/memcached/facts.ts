/** What a server promises, read off its statistics. */
import type { Facts } from '../../driver.js'
import type { Line } from './dialect.js'
import { speaksLatchkey } from './dialect.js'
import { type Standing, statsOf } from './standing.js'

/** What Latchkey pins unless it is told otherwise. */
const PINNED = 'latchkey:lock:'

type Rows = Readonly<Record<string, string>>

/** `waitsOut`: a server that has restarted is not asked for locks until the leases from before are over. */
export async function factsOf(key: string, line: Line, { keepsState }: Standing, waitsOut: boolean): Promise<Facts> {
  const { client, session, call } = line
  const rows = await statsOf(client, '', session, key, call)
  const settings = await statsOf(client, 'settings', session, key, call)
  if (speaksLatchkey(session)) return latchkeyFacts(key, line, keepsState, waitsOut, settings)
  return {
    what: `memcached ${session.version || 'of unknown version'} at ${session.server}`,
    evicts: evictsAtAll(settings),
    survivesRestart: waitsOut,
    granularityMs: 1000,
    queues: false,
    remote: true,
    notes: [
      'Fences are drawn from counters on the server. If it loses them, by a restart or by eviction, they go on from the moment of its start and the number of its changes since: they go back only if that clock was set back over a restart.',
      ...(session.meta ? [] : ['Without meta commands every step takes two round trips.']),
      ...evictionNotes(rows, settings),
    ],
  }
}

function latchkeyFacts(key: string, { session }: Line, keepsState: boolean, waitsOut: boolean, settings: Rows): Facts {
  const isPinned = key.startsWith(PINNED)
  return {
    what: `Latchkey ${session.version.replace(/^.*-latchkey\./, '')} at ${session.server}`,
    evicts: isPinned ? false : evictsAtAll(settings) === false ? false : undefined,
    survivesRestart: keepsState || waitsOut,
    granularityMs: 0,
    queues: true,
    remote: true,
    notes: [
      ...(isPinned ? [] : [`Only keys under its pinned prefixes are never evicted, by default ${PINNED}`]),
      ...(keepsState
        ? []
        : ['Without --state-dir it forgets all leases when it restarts, and who uses it has to wait for maxLease.']),
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
