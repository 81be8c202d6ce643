/** One candidate and a real server, which goes away and comes back; a thread that is blocked; a queue that is left. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  type Candidate,
  createLocks,
  type ElectOptions,
  type Locks,
  LockUnavailableError,
  memcached,
} from 'latchkey/locks'
import { FaultProxy } from 'latchkey/torture'
import { eventually } from '../../support/eventually.js'
import { type ServerProcess, startLatchkey } from '../../support/process.js'

let server: ServerProcess

before(async () => {
  server = await startLatchkey({ threads: 1 })
})

after(() => server.stop())

function locksAt({ host, port }: { host: string; port: number }): Locks {
  return createLocks(
    memcached({ servers: `${host}:${port}`, freshServers: 'trust', reconnect: { minMs: 5, maxMs: 50 } }),
  )
}

function elect(locks: Locks, name: string, options: Partial<ElectOptions> = {}) {
  const told: string[] = []
  const errors: unknown[] = []
  const candidate = locks.elect(name, {
    ttl: '600ms',
    ...options,
    onElected: () => told.push('elected'),
    onLost: ({ code }) => told.push(code),
    onError: (error) => errors.push(error),
  })
  return { candidate, told, errors }
}

const leads = (candidate: Candidate) => eventually('it leads', async () => candidate.isLeader)

test('the server is away and comes back: the leader is told, errors are told, and it is elected again', async () => {
  const proxy = await FaultProxy.start(server)
  const locks = locksAt(proxy)
  try {
    const { candidate, told, errors } = elect(locks, 'away')
    await leads(candidate)
    await proxy.refuse()
    proxy.cutAll()
    await eventually('it is told', async () => told.length === 2 && errors.length > 0)
    assert.deepEqual(told, ['elected', 'LOCK_LOST'])
    assert.ok(errors.every((error) => error instanceof LockUnavailableError))
    await proxy.accept()
    await leads(candidate)
    await candidate.stop()
  } finally {
    await locks.close()
    await proxy.stop()
  }
})

test('renewed from a helper thread it leads on while the event loop is blocked', async () => {
  await using locks = locksAt(server)
  const { candidate, told } = elect(locks, 'blocked', { renew: 'thread' })
  await leads(candidate)
  const until = performance.now() + 1200
  while (performance.now() < until);
  assert.ok(candidate.isLeader)
  await candidate.stop()
  assert.deepEqual(told, ['elected', 'LEADERSHIP_ENDED'])
})

test('who stops while it waits leaves the queue of the server', async () => {
  await using locks = locksAt(server)
  await using leadership = await locks.campaign('queue')
  const { candidate, told } = elect(locks, 'queue')
  const waiters = async () => (await locks.inspect('queue'))?.waiters
  await eventually('it waits', async () => (await waiters()) === 1)
  await candidate.stop()
  await eventually('it has left', async () => (await waiters()) === 0)
  assert.ok(leadership.isLeading)
  assert.deepEqual(told, [])
})
