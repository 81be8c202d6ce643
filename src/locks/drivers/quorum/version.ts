/**
 * What a quorum's holder has to know to extend and release: whose the lock is, and the version on each server, as far as it is
 * known. `<owner> <version>…`, where a version is `n<number>`, `s<text, URI-encoded>`, `-` for one that is not known, or `x` where nothing is.
 */
import type { Version } from '../../driver.js'

/** It is certain that the server has nothing of this lock: it had refused it, or could not be reached, when it was claimed. */
export const NOTHING = Symbol('nothing')

export interface Votes {
  readonly owner: string
  /** By server; undefined where it is not known, or was not given. */
  readonly versions: readonly (Version | typeof NOTHING | undefined)[]
}

export function encodeVotes({ owner, versions }: Votes): string {
  return [owner, ...versions.map(wordOf)].join(' ')
}

export function decodeVotes(version: Version): Votes {
  const [owner, ...words] = String(version).split(' ')
  return { owner, versions: words.map(versionIn) }
}

function wordOf(version: Votes['versions'][number]): string {
  if (version === undefined) return '-'
  if (version === NOTHING) return 'x'
  return typeof version === 'bigint' ? `n${version}` : `s${encodeURIComponent(version)}`
}

function versionIn(word: string): Votes['versions'][number] {
  if (word === 'x') return NOTHING
  if (word.startsWith('n')) return BigInt(word.slice(1))
  return word.startsWith('s') ? decodeURIComponent(word.slice(1)) : undefined
}
