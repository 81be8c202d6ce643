/** What stands in the place of redlock's clients, and the locks that are made of it. */
import { createLocks, LockArgumentError, type LockDriver, type Locks, quorumOf } from '../../locks/index.js'

/** A way of keeping locks, or locks that were made with options of one's own. */
export type Client = LockDriver | Locks

/** One of either, or three, five or seven drivers of one server each, of which a majority decides. Throws LockArgumentError. */
export function clientsOf(given: Client | Iterable<Client>): Client[] {
  const clients = isIterable(given) ? [...new Set(given)] : [given]
  if (clients.length === 0) throw new LockArgumentError('Redlock takes at least one lock driver')
  for (const client of clients) check(client, clients.length)
  return clients
}

export function locksOf(clients: readonly Client[]): Locks {
  const [first] = clients
  if (clients.length > 1) return createLocks(quorumOf(clients as LockDriver[]))
  return isDriver(first) ? createLocks(first) : first
}

function check(client: unknown, count: number): void {
  if (isDriver(client)) return
  if (!isLocks(client)) {
    throw new LockArgumentError(
      'Redlock takes lock drivers of latchkey/locks here, such as redis({ client }) or memcached({ servers })',
    )
  }
  if (count > 1) throw new LockArgumentError('several clients of Redlock are drivers: locks cannot be joined')
}

function isIterable(given: Client | Iterable<Client>): given is Iterable<Client> {
  return typeof (given as Partial<Iterable<Client>> | undefined)?.[Symbol.iterator] === 'function'
}

function isDriver(client: unknown): client is LockDriver {
  return typeof (client as Partial<LockDriver> | undefined)?.claim === 'function'
}

function isLocks(client: unknown): client is Locks {
  return typeof (client as Partial<Locks> | undefined)?.tryAcquire === 'function'
}
