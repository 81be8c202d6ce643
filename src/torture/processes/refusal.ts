/** What cannot be had with real processes, and why. */
import type { Algorithm } from '../algorithm.js'
import type { FaultKind, FaultName } from '../faults.js'
import { isEngine } from '../homes.js'
import { engines } from './engines/index.js'
import type { Guests } from './guest-site.js'

/** Of a store: it is in the memory of one process, with no wire and no server. */
const NOT_EMBEDDED: Readonly<Partial<Record<FaultName, string>>> = {
  pause: 'a thread cannot be stopped alone; stall does as much',
  'server-pause': 'there is no server',
  restart: 'there is no server',
  'lost-reply': 'there is no wire',
  delay: 'there is no wire',
  retry: 'there is no wire',
  blip: 'there is no wire',
  lists: 'there is no wire',
  partition: 'there is no wire',
}

/** In a few words; undefined when there is nothing in the way. `guests`: servers that are not ours. */
export function refusal(
  algorithm: Algorithm,
  fault: FaultKind,
  guests: Guests | undefined,
  hasMemcached: boolean,
): string | undefined {
  if (algorithm.without?.includes(fault.name as FaultName)) return 'it means nothing to it'
  if (!fault.real) return 'only in virtual time'
  if (guests !== undefined) return refusalOfGuests(algorithm, fault, guests)
  if (algorithm.home === 'embedded') return NOT_EMBEDDED[fault.name as FaultName]
  if (isEngine(algorithm.home)) return engines[algorithm.home].missing()
  return algorithm.home === 'memcached' && !hasMemcached ? 'there is no memcached here' : undefined
}

function refusalOfGuests({ home, servers = 1 }: Algorithm, fault: FaultKind, guests: Guests): string | undefined {
  if (home === 'embedded') return 'its locks are on no server'
  if (isEngine(home)) return 'these servers are of memcached’s kind'
  if (!fault.harmless) return 'not on servers that others use'
  if (home === 'latchkey' && !guests.latchkey) return 'these servers are not Latchkey'
  return guests.addresses.length < servers ? `it needs ${servers} servers` : undefined
}
