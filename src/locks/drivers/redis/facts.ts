/** What a Redis promises, read off INFO and, where that is allowed, CONFIG GET. */
import type { Facts } from '../../driver.js'

export interface Told {
  /** The rows of INFO. */
  readonly info: ReadonlyMap<string, string>
  /** undefined where CONFIG may not be asked. */
  readonly appendfsync: string | undefined
  readonly minReplicas: number | undefined
}

/** The rows of INFO by their names. */
export function rowsOf(info: string): Map<string, string> {
  const rows = info.split('\r\n').map((line) => [...line.split(/:(.*)/, 2), ''] as const)
  return new Map(rows.map(([name, value]) => [name, value]))
}

/** `waitsOut`: a process that is new gives no locks until the leases from before are over. */
export function factsOf({ info, appendfsync, minReplicas }: Told, waitsOut: boolean): Facts {
  const keepsAll = info.get('aof_enabled') === '1' && appendfsync === 'always'
  return {
    what: whatOf(info),
    evicts: evicts(info),
    survivesRestart: waitsOut || keepsAll,
    durable: keepsAll,
    granularityMs: 0,
    queues: true,
    remote: true,
    replicas: hasReplicas(info) ? 'asynchronous' : undefined,
    notes: [
      'Redis ends leases by its wall clock: set forward, it ends them early, and two may hold.',
      'Fences are moments of that clock, and never below the last one given: they go back only if Redis forgets and its clock is set back.',
      ...(waitsOut
        ? []
        : ['freshServers is trust: a Redis that has restarted or was flushed gives locks that may be held.']),
      ...evictionNotes(info),
      ...replicaNotes(info, minReplicas),
    ],
  }
}

function whatOf(info: ReadonlyMap<string, string>): string {
  const valkey = info.get('valkey_version')
  const name = valkey === undefined ? `Redis ${info.get('redis_version') ?? 'of unknown version'}` : `Valkey ${valkey}`
  return `${name}, ${info.get('redis_mode') ?? 'standalone'}, port ${info.get('tcp_port') ?? 'unknown'}`
}

function evicts(info: ReadonlyMap<string, string>): boolean | undefined {
  const policy = info.get('maxmemory_policy')
  return policy === undefined ? undefined : policy !== 'noeviction' && info.get('maxmemory') !== '0'
}

function evictionNotes(info: ReadonlyMap<string, string>): string[] {
  if (!evicts(info)) return []
  const policy = info.get('maxmemory_policy')
  return [`Its maxmemory-policy is ${policy}: it may evict locks when it is full. Locks need noeviction.`]
}

function hasReplicas(info: ReadonlyMap<string, string>): boolean {
  const { role, slaves, mode } = {
    role: info.get('role'),
    slaves: info.get('connected_slaves') ?? '0',
    mode: info.get('redis_mode'),
  }
  return role === 'slave' || slaves !== '0' || mode === 'sentinel' || mode === 'cluster'
}

function replicaNotes(info: ReadonlyMap<string, string>, minReplicas: number | undefined): string[] {
  if (!hasReplicas(info)) return []
  const cure = minReplicas === 0 ? ' (min-replicas-to-write would end that sooner)' : ''
  return [
    `It has replicas, which hear of locks later. One that takes over gives no locks for maxLease, but its old master may go on giving them until it learns of it${cure}.`,
  ]
}
