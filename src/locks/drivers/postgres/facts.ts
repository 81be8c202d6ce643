/** What a PostgreSQL promises, read off its settings. */
import type { Facts } from '../../driver.js'
import type { Row } from './asking.js'

export function factsOf({ version, fsync, logged, standby, standbys, synchronous }: Row): Facts {
  const durable = fsync === 'on' && logged === true
  const hasStandbys = standby === true || Number(standbys) > 0
  return {
    what: `PostgreSQL ${version}`,
    evicts: false,
    survivesRestart: durable,
    durable,
    granularityMs: 0,
    queues: false,
    remote: true,
    replicas: hasStandbys ? 'asynchronous' : undefined,
    notes: [
      'Leases end by the wall clock of the server: set forward, it ends them early, and two may hold.',
      'Fences come from a sequence: they go back only if a backup is restored, and setval can see to that.',
      ...(fsync === 'on' ? [] : ['fsync is off: after a crash of the machine locks may be missing.']),
      ...(logged === true ? [] : ['The table is not logged: after a crash of the server it is empty.']),
      ...(hasStandbys ? [standbyNote(synchronous)] : []),
    ],
  }
}

function standbyNote(synchronous: unknown): string {
  return synchronous === ''
    ? 'It has standbys, which hear of locks later: one that takes over may give a lock that is held.'
    : `It has standbys: those of synchronous_standby_names (${synchronous}) have heard of every lock, others maybe not.`
}
