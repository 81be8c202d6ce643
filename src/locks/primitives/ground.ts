/** What those primitives are built on that keep locks in a way of their own. */
import type { Held } from '../belief.js'
import type { Lock } from '../lock.js'
import type { Wanted } from '../settings.js'
import type { Asking } from '../trace.js'
import type { Base } from './base.js'

/** What a lock is to be like that a primitive is made of. */
export interface Terms {
  readonly wanted: Wanted
  /** Why it has no fence, where that is not for its guarantee. */
  readonly unfenced?: string
}

export interface Ground extends Base {
  /** What has to be there before anything is sent for a lock that is kept so. */
  ready(wanted: Wanted): Promise<void>
  /** Makes a lock of what was acquired. `asked`: who has followed that. */
  keep(held: Held, terms: Terms, asked: Asking | undefined): Lock
}
