/** What is done to the participants, the wire and the servers, by name: the columns of the table. */

export interface FaultKind {
  /** A word, for a column. */
  readonly name: string
  readonly what: string
  /** Where it can be made: in virtual time, with real processes, or both. */
  readonly simulated: boolean
  readonly real: boolean
  /** May be done to servers that others use: it touches nothing but the participants themselves and their own connections. */
  readonly harmless: boolean
}

const kinds = [
  kind('none', 'nothing, but that many ask at once', 'both', 'harmless'),
  kind('overrun', 'the work takes longer than the lease', 'both', 'harmless'),
  kind('pause', 'a participant is stopped past its lease, and goes on', 'both', 'harmless'),
  kind('stall', 'an event loop is blocked, up to and past the lease', 'both', 'harmless'),
  kind('heap', 'a participant’s garbage collector has much to do', 'real', 'harmless'),
  kind('clock', 'a participant’s clock is set, by an hour or less, either way', 'simulated', 'harmless'),
  kind('suspend', 'a participant’s machine sleeps past its lease', 'simulated', 'harmless'),
  kind('crash', 'participants are killed, while they hold and while they wait', 'both', 'harmless'),
  kind('abort', 'a participant’s caller gives up, at any moment', 'both', 'harmless'),
  kind('lost-reply', 'a request is carried out, and its reply lost', 'both', 'harmless'),
  kind('delay', 'a request is carried out long after it was given up, or past its lease', 'both', 'harmless'),
  kind('retry', 'a client library sends a request again whose reply was lost', 'both', 'harmless'),
  kind('blip', 'for a moment one participant cannot connect to one server', 'both', 'harmless'),
  kind('lists', 'participants have their lists of servers in different orders', 'both', 'harmless'),
  kind('partition', 'bytes of one direction are lost for a while, and nobody is told', 'both', 'harmless'),
  kind('boundary', 'leases of the shortest kind, taken just before the server’s clock ticks', 'both', 'harmless'),
  kind('server-pause', 'the server is stopped, and goes on', 'both', 'harmful'),
  kind('server-clock', 'the server’s clock is set forward or back', 'simulated', 'harmful'),
  kind('restart', 'the server is killed, and starts again at once', 'both', 'harmful'),
  kind('flush', 'flush_all', 'both', 'harmful'),
  kind('evict', 'the server’s memory fills, and it evicts what is oldest', 'both', 'harmful'),
  kind('full', 'the server has no memory for new items, and says so', 'both', 'harmful'),
  kind('foreign', 'somebody sets, touches or deletes the lock’s key', 'both', 'harmful'),
] as const satisfies readonly FaultKind[]

export type FaultName = (typeof kinds)[number]['name']

export const faultKinds: readonly (FaultKind & { readonly name: FaultName })[] = kinds

export function faultKind(name: FaultName): FaultKind {
  return kinds.find((each) => each.name === name)!
}

export function isFaultName(name: string): name is FaultName {
  return kinds.some((each) => each.name === name)
}

function kind<N extends string>(
  name: N,
  what: string,
  where: 'both' | 'simulated' | 'real',
  harm: 'harmless' | 'harmful',
): FaultKind & { readonly name: N } {
  return { name, what, simulated: where !== 'real', real: where !== 'simulated', harmless: harm === 'harmless' }
}
