/** How a process that is told only an address makes the driver: `redis://host:port`, or `host:port` of memcached servers. */
import { type LockDriver, memcached } from 'latchkey/locks'
import { driverOf, type Engine } from '../drivers/engines.js'

/** One that believes servers that have just started. */
export function driverAt(address: string): LockDriver {
  const [engine, server] = address.split('://', 2)
  if (server !== undefined) return driverOf(engine as Engine, [server])
  return memcached({ servers: address, freshServers: 'trust' })
}
