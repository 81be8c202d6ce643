/** What an etcd promises. */
import type { Call, Facts } from '../../driver.js'
import type { EtcdApi } from './api.js'

export async function factsOf(api: EtcdApi, key: string, call: Call): Promise<Facts> {
  const { version, members, where } = await api.status(key, call)
  return {
    what: `etcd ${version} at ${where}, ${members} member${members === 1 ? '' : 's'}`,
    evicts: false,
    survivesRestart: true,
    durable: true,
    granularityMs: 0,
    queues: true,
    replicas: members > 1 ? 'majority' : undefined,
    remote: true,
    notes: [
      'Leases are whole seconds, and 2 at least: after a crash a shorter lock is free so much later.',
      'A cluster that is restored from a backup has forgotten the locks that were given since, and its fences go back. Drivers that were connected before notice, and give no locks for maxLease, and no fences until they are past those from before; new ones cannot: start them after the longest lease, and raise the revision.',
    ],
  }
}
