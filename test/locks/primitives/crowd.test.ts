/** Semaphores and read-write locks, used by threads and processes at once, on real servers: the count is kept, no write is lost. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createLocks, memcached } from 'latchkey/locks'
import { Store } from 'latchkey/store'
import { requirePeer } from '../../support/peers.js'
import { startLatchkey, startMemcached } from '../../support/process.js'
import { engines } from '../drivers/engines.js'
import type { Crowd, Told } from './crowd-member.js'

const program = join(import.meta.dirname, 'crowd-member.js')
const MEMBERS = 3
const ASKERS = 2
const PERMITS = 3

interface Started {
  readonly host: string
  readonly port: number
  stop(): Promise<unknown>
}

/** One set for all tests: starting them takes longest. */
let processes: ChildProcess[]
before(() => {
  processes = Array.from({ length: MEMBERS }, () => fork(program, { serialization: 'advanced' }))
})
after(() => {
  for (const child of processes) child.disconnect()
})

const stock = async (t: TestContext, count: number) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return undefined
  return Promise.all(Array.from({ length: count }, () => startMemcached(['-t', '1'])))
}
const engine = (kind: 'redis' | 'etcd') => async (t: TestContext) => {
  const started = await engines.find((each) => each.engine === kind)!.start(t)
  return started && [started]
}

const kinds: {
  name: string
  kind: Crowd['kind']
  rounds: number
  start(t: TestContext): Promise<Started[] | undefined>
}[] = [
  { name: 'Latchkey', kind: 'memcached', rounds: 16, start: async () => [await startLatchkey({ threads: 2 })] },
  { name: 'memcached', kind: 'memcached', rounds: 8, start: (t) => stock(t, 1) },
  { name: 'three memcacheds, each with its part', kind: 'memcached', rounds: 8, start: (t) => stock(t, 3) },
  { name: 'a quorum of three memcacheds', kind: 'quorum', rounds: 6, start: (t) => stock(t, 3) },
  { name: 'Redis', kind: 'redis', rounds: 8, start: engine('redis') },
  { name: 'etcd', kind: 'etcd', rounds: 4, start: engine('etcd') },
]

for (const { name, kind, rounds, start } of kinds) {
  test(`processes on ${name}`, async (t) => {
    const started = await start(t)
    if (started === undefined) return
    try {
      const servers = started.map(({ host, port }) => `${host}:${port}`)
      await crowd({ kind, servers, permits: PERMITS, rounds }, (order) =>
        Promise.all(processes.map((child) => told(child, order))),
      )
    } finally {
      for (const server of started) await server.stop()
    }
  })
}

test('the permit of a process that is killed comes back when its lease is over, and not before', async () => {
  const server = await startLatchkey({ threads: 1 })
  const child = fork(program, { serialization: 'advanced' })
  const locks = createLocks(memcached({ servers: `${server.host}:${server.port}`, freshServers: 'trust' }), {
    deadlineMs: 20_000,
  })
  try {
    const servers = [`${server.host}:${server.port}`]
    await told(child, { kind: 'memcached', servers, folder: '', permits: 1, rounds: 0, keeps: true })
    const semaphore = locks.semaphore('crowd', { permits: 1 })
    const [holder] = (await semaphore.inspect()).holders
    assert.equal(holder.pid, child.pid)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const permit = await semaphore.acquire({ wait: '1m' })
    assert.ok(permit.fence > holder.fence!)
    assert.deepEqual((await semaphore.inspect()).gate, undefined)
  } finally {
    child.kill('SIGKILL')
    await locks.close()
    await server.stop()
  }
})

test('threads on one store', async () => {
  const store = new Store({ memory: '16mb' })
  const workers = Array.from({ length: MEMBERS }, () => new Worker(program))
  for (const worker of workers) store.adopt(worker)
  try {
    await crowd({ kind: 'store', servers: [], handle: store.handle, permits: PERMITS, rounds: 16 }, (order) =>
      Promise.all(
        workers.map(async (worker) => {
          worker.postMessage(order)
          return (await once(worker, 'message'))[0]
        }),
      ),
    )
    assert.equal(store.get('latchkey:lock:crowd/gate'), undefined)
  } finally {
    for (const worker of workers) await worker.terminate()
    store.close()
  }
})

async function told(child: ChildProcess, order: Crowd): Promise<Told> {
  child.send(order)
  return (await once(child, 'message'))[0]
}

async function crowd(order: Omit<Crowd, 'folder'>, ask: (order: Crowd) => Promise<Told[]>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-crowd-'))
  try {
    const all = await ask({ ...order, folder })
    assert.deepEqual(
      all.flatMap(({ wrong }) => wrong),
      [],
    )
    assert.deepEqual(
      all.map(({ held }) => held),
      Array(MEMBERS).fill(2 * ASKERS * order.rounds),
    )
    const written = JSON.parse(readFileSync(join(folder, 'list'), 'utf8'))
    assert.equal(written.length, MEMBERS * ASKERS * Math.ceil(order.rounds / 3), 'a write was lost')
  } finally {
    rmSync(folder, { recursive: true })
  }
}
