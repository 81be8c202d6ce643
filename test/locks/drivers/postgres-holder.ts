/** Holds a lock, or waits for it, in a process of its own. Extends it when it is told to, and tells what became of that. */
import { call, claimOf } from './case.js'
import { postgresAdvisoryAt } from './postgres-kind.js'

const { host, port, key, ttlMs, waitMs } = JSON.parse(process.argv[2])
const driver = postgresAdvisoryAt({ host, port })
const claiming = driver.claim(claimOf(key, { ttlMs, waitMs }), call)
if (waitMs === 0) await claiming
process.send!('started')

process.on('message', async () => {
  const result = await claiming
  const extended = result.status === 'held' ? await driver.extend(result.lease, ttlMs, call).catch(String) : 'busy'
  process.send!(extended === undefined ? 'lost' : extended)
})
