/** Metrics by the real prom-client, of locks and clients of a real server. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createClient } from 'latchkey/client'
import { createLocks, LockBusyError, type Locks, memcached } from 'latchkey/locks'
import { type CollectedMetrics, collectMetrics } from 'latchkey/prometheus'
import { Gauge, Registry } from 'prom-client'
import { eventually } from '../support/eventually.js'
import { type ServerProcess, startLatchkey } from '../support/process.js'
import { listenedTo } from './quiet.js'

let server: ServerProcess
let address: string
let locks: Locks
before(async () => {
  server = await startLatchkey({ threads: 1 })
  address = `127.0.0.1:${server.port}`
  locks = createLocks(memcached({ servers: address, freshServers: 'trust' }))
})
after(async () => {
  await locks.close()
  await server.stop()
})

/** The value of one series, by its name in the text and its labels; undefined where there is none. */
async function seriesOf({ register }: CollectedMetrics, name: string, labels: Record<string, string> = {}) {
  for (const metric of await register.getMetricsAsJSON()) {
    for (const { metricName = metric.name, value, labels: own } of metric.values as Series[]) {
      const fits = Object.entries(labels).every(([label, text]) => own[label] === text)
      if (metricName === name && fits) return value
    }
  }
  return undefined
}

interface Series {
  readonly metricName?: string
  readonly value: number
  readonly labels: Readonly<Record<string, string>>
}

test('locks: who waits, who holds and for how long, and how all of it ended', async () => {
  using metrics = collectMetrics({ register: new Registry(), labelOf: (name) => name.split(':')[0] })
  const own = { driver: 'memcached', lock: 'invoice' }
  const value = (name: string, labels: Record<string, string> = {}) =>
    seriesOf(metrics, `latchkey_${name}`, { ...own, ...labels })

  const lock = await locks.acquire('invoice:1', { ttl: '30s' })
  await assert.rejects(locks.acquire('invoice:1'), LockBusyError)
  const waiting = locks.acquire('invoice:1', { wait: '1m' })
  await eventually('one waits', async () => (await value('locks_waiting')) === 1)
  await lock.extend()
  assert.equal(await value('locks_held'), 1)
  const oldest = (await value('lock_oldest_hold_seconds'))!
  assert.ok(oldest > 0 && oldest < 30, `${oldest}`)
  await lock.release()
  await (await waiting).release()
  assert.deepEqual([await value('locks_held'), await value('locks_waiting')], [0, 0])
  assert.equal(await value('lock_oldest_hold_seconds'), 0)
  assert.equal(await value('lock_losses_total'), 0)

  const taken = await locks.acquire('invoice:2', { ttl: 900 })
  await locks.forceRelease('invoice:2')
  await eventually('it is lost', async () => taken.state === 'lost')
  const aborted = locks.acquire('invoice:3', { signal: AbortSignal.abort() })
  await assert.rejects(aborted)

  const counts = {
    granted: await value('lock_acquisitions_total', { outcome: 'granted' }),
    busy: await value('lock_acquisitions_total', { outcome: 'busy' }),
    aborted: await value('lock_acquisitions_total', { outcome: 'aborted' }),
    waits: await value('lock_wait_seconds_count'),
    holds: await value('lock_hold_seconds_count'),
    released: await value('lock_releases_total', { outcome: 'released' }),
    losses: await value('lock_losses_total'),
    extended: await value('lock_extensions_total', { by: 'caller', outcome: 'extended' }),
    gone: await value('lock_extensions_total', { by: 'renewal', outcome: 'gone' }),
  }
  assert.deepEqual(counts, {
    ...{ granted: 3, busy: 1, aborted: 1, waits: 3, holds: 3 },
    ...{ released: 2, losses: 1, extended: 1, gone: 1 },
  })
  // In seconds: the first and the second were held for moments.
  const held = (await value('lock_hold_seconds_sum'))!
  assert.ok(held > 0.05 && held < 30, `${held}`)
})

test('clients: how long commands take, how they end, and which connections there are', async () => {
  using metrics = collectMetrics({ register: new Registry(), prefix: 'cache_', buckets: { command: [0.5, 30] } })
  const value = (name: string, labels: Record<string, string>) => seriesOf(metrics, `cache_client_${name}`, labels)
  {
    await using cache = createClient({ servers: address })
    await cache.set('a', 'text')
    await cache.get('a')
    await cache.get('b')
    await assert.rejects(cache.incr('a'))
    await assert.rejects(cache.get('a', { signal: AbortSignal.timeout(0), deadlineMs: 0 }))
    assert.equal(await value('connections', { server: address }), 1)
  }
  const durations = (operation: string, outcome: string) =>
    value('command_duration_seconds_count', { operation, outcome })
  assert.equal(await durations('get', 'ok'), 2)
  assert.equal(await durations('set', 'ok'), 1)
  assert.equal(await durations('incr', 'request_refused'), 1)
  assert.equal(await durations('get', 'deadline_exceeded'), 1)
  assert.equal(await value('command_duration_seconds_bucket', { operation: 'get', outcome: 'ok', le: '30' }), undefined)
  await eventually('it is closed', async () => (await value('connections', { server: address })) === 0)
  assert.equal(await value('connects_total', { server: address }), 1)
  assert.equal(await value('disconnects_total', { server: address }), 1)
})

test('by default no name of a lock is a label; a labelOf that throws loses nothing', async () => {
  using plain = collectMetrics({ register: new Registry() })
  const throws = () => {
    throw new Error('no label')
  }
  using thrown = collectMetrics({ register: new Registry(), labelOf: throws })
  await (await locks.acquire('secret')).release()
  const text = await plain.register.metrics()
  assert.match(text, /^latchkey_lock_releases_total\{driver="memcached",outcome="released"\} 1$/m)
  assert.doesNotMatch(text, /secret/)
  assert.equal(await seriesOf(thrown, 'latchkey_lock_losses_total', { lock: '' }), 0)
})

test('two registers count at once, and each stops by itself', async () => {
  const [one, other] = [collectMetrics({ register: new Registry() }), collectMetrics({ register: new Registry() })]
  const releases = (metrics: CollectedMetrics) => seriesOf(metrics, 'latchkey_lock_releases_total')
  await (await locks.acquire('a')).release()
  assert.deepEqual([await releases(one), await releases(other)], [1, 1])
  one.stop()
  one.stop()
  assert.equal(await one.register.metrics(), '\n')
  await (await locks.acquire('a')).release()
  assert.equal(await releases(other), 2)
  other.stop()
  assert.deepEqual(listenedTo(), [])
})

test('a name that the register has already is refused, and nothing is left behind', () => {
  const register = new Registry()
  const others = new Gauge({ name: 'latchkey_locks_waiting', help: "somebody else's", registers: [register] })
  assert.throws(() => collectMetrics({ register }), /latchkey_locks_waiting/)
  assert.deepEqual(register.getMetricsAsArray(), [others])
  assert.deepEqual(listenedTo(), [])
})
