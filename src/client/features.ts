/** What a server can do, from its version and from how it answers a meta no-op. */

/** `1.6.18`, and on Latchkey `1.6.45-latchkey.0.1.0`. */
const VERSION = /^(\d+)\.(\d+)\.(\d+)/

/** Compare-and-delete (`md C`) is right from here on. */
const COMPARE_AND_DELETE: Release = [1, 6, 13]

type Release = readonly [major: number, minor: number, patch: number]

export interface Features {
  /** As the server tells it; empty when it does not tell. */
  readonly version: string
  /** Meta commands: binary keys, opaques, stale and win flags. */
  readonly meta: boolean
  readonly compareAndDelete: boolean
  /** Latchkey's extensions of the protocol. */
  readonly latchkey: boolean
}

export function featuresOf(version: string, meta: boolean): Features {
  const found = VERSION.exec(version)
  const release: Release = found === null ? [0, 0, 0] : [Number(found[1]), Number(found[2]), Number(found[3])]
  return {
    version,
    meta,
    compareAndDelete: meta && isAtLeast(release, COMPARE_AND_DELETE),
    latchkey: version.includes('-latchkey.'),
  }
}

function isAtLeast(release: Release, other: Release): boolean {
  for (let i = 0; i < release.length; i++) if (release[i] !== other[i]) return release[i] > other[i]
  return true
}
