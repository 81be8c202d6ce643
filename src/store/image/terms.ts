/** What must be the same for an image to be taken over, and what goes on from it. */
import type { CasEra } from '../cas-epoch.js'
import { type ImageHeader, StoreImageError } from './header.js'

/** Pinned items lie apart from others. @throws StoreImageError when other keys would be pinned now. */
export function checkPrefixes(theirs: readonly string[], ours: readonly string[]): void {
  const before = [...new Set(theirs)].sort().join(' ')
  const now = [...new Set(ours)].sort().join(' ')
  if (before !== now) throw new StoreImageError(`its pinned prefixes are other ones: ${before}, and here ${now}`)
}

/** The eras of the image that gave any tokens, and a new one. */
export function erasAfter({ eras, lastSequence }: ImageHeader, next: CasEra): CasEra[] {
  return [...eras.filter(({ afterSequence }) => afterSequence < lastSequence), next]
}
