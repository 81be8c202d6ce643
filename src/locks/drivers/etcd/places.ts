/**
 * Where a lock's keys are. Each who wants the lock has a key of its own, the lock's with a space, which no name of a lock has in it,
 * and the owner: the first of them that was created holds. So it is in etcd's own `concurrency` package, too.
 */
import type { Found, Version } from '../../driver.js'
import { readVersion, versionOf } from '../entry-version.js'
import { decodeRecord, FOREIGN } from '../record.js'
import { base64, type Json, type KeyValue, type Range, rangeOf } from './messages.js'

/** Follows the space: all that a lock's keys can go on with comes before. */
const AFTER = '!'

export function placeOf(key: string, owner: string): string {
  return `${key} ${owner}`
}

/** The range of all who want this lock; what somebody has put under the lock's key itself is one of them. */
export function placesOf(key: string): Json {
  return rangeOf(key, key + AFTER)
}

/** The first of them, and how many there are. */
export function firstOf(key: string): Json {
  return { request_range: { ...placesOf(key), sort_order: 'ASCEND', sort_target: 'CREATE', limit: 1 } }
}

/** The last of those that came before this revision. */
export function lastBefore(key: string, revision: bigint): Json {
  const bounds = { max_create_revision: `${revision - 1n}`, sort_order: 'DESCEND', sort_target: 'CREATE', limit: 1 }
  return { request_range: { ...placesOf(key), ...bounds, keys_only: true } }
}

export function theOne(place: string): Json {
  return { request_range: { key: base64(place), keys_only: true } }
}

export function isUnchanged(place: string, revision: bigint): Json {
  return { key: base64(place), target: 'MOD', result: 'EQUAL', mod_revision: `${revision}` }
}

/** True of all in the range where there is none. */
export function isFree(key: string): Json {
  return { ...placesOf(key), target: 'CREATE', result: 'EQUAL', create_revision: '0' }
}

export function put(place: string, record: string, lease: bigint): Json {
  return { request_put: { key: base64(place), value: base64(record), lease: `${lease}`, prev_kv: true } }
}

export function remove(place: string): Json {
  return { request_delete_range: { key: base64(place), prev_kv: true } }
}

/** The lock that a key belongs to. */
export function lockOf(place: string): string {
  const end = place.indexOf(' ')
  return end < 0 ? place : place.slice(0, end)
}

export function versionAt(place: string, revision: bigint): string {
  return versionOf(place.slice(lockOf(place).length), revision)
}

export function placeOfVersion(key: string, version: Version): { place: string; revision: bigint } {
  const { entry, revision } = readVersion(version)
  return { place: key + entry, revision }
}

export interface FoundPlace extends Found {
  readonly etcdLease: bigint
}

export function foundIn({ kvs, count }: Range): FoundPlace | undefined {
  const [kv] = kvs
  return kv && foundOf(kv, count - 1)
}

export function foundOf(kv: KeyValue, waiters: number): FoundPlace {
  const { holder, fence } = decodeRecord(kv.value) ?? FOREIGN
  return {
    key: lockOf(kv.key),
    holder,
    fence: fence === 'token' ? kv.createRevision : fence === 'none' ? undefined : fence,
    version: versionAt(kv.key, kv.modRevision),
    leftMs: undefined,
    waiters,
    etcdLease: kv.lease,
  }
}
