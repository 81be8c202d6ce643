/** For how long a server that may have forgotten leases has no vote. */
import { inspect } from 'node:util'
import { type Span, spanMs } from '../../time/index.js'
import { LockArgumentError } from '../errors.js'

const MAX_LEASE: Span = '1m'

export interface VoteRules {
  readonly maxLeaseMs: number
  /** Servers are believed however new they are. */
  readonly trust: boolean
}

/** As the options of that name, checked. Throws LockArgumentError. */
export function rulesOf(maxLease: Span = MAX_LEASE, freshServers: 'wait' | 'trust' = 'wait'): VoteRules {
  const maxLeaseMs = spanMs(maxLease)
  if (maxLeaseMs === undefined || maxLeaseMs <= 0) {
    throw new LockArgumentError(`maxLease is a span of time, such as '1m', not ${inspect(maxLease)}`)
  }
  if (freshServers !== 'wait' && freshServers !== 'trust') {
    throw new LockArgumentError(`freshServers is wait or trust, not ${inspect(freshServers)}`)
  }
  return { maxLeaseMs, trust: freshServers === 'trust' }
}
