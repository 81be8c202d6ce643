/** The version of a lock that is one of several entries on its server: which one, and which state of that. */
import type { Version } from '../driver.js'

export interface EntryVersion {
  readonly entry: string
  readonly revision: bigint
}

export function versionOf(entry: string, revision: bigint): string {
  return `${revision} ${entry}`
}

/** For what is none, an entry that is nobody's. */
export function readVersion(version: Version): EntryVersion {
  const [, revision = '-1', entry = ''] = /^(\d+) (.*)$/su.exec(String(version)) ?? []
  return { entry, revision: BigInt(revision) }
}
