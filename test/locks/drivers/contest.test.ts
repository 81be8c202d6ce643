/** Threads on one store, and processes on one server: never two hold the lock at a time, and fences rise in that order. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Store } from 'latchkey/store'
import { requirePeer } from '../../support/peers.js'
import { startLatchkey, startMemcached } from '../../support/process.js'
import type { Contest, Tenure } from './contender.js'
import { engines } from './engines.js'

const program = join(import.meta.dirname, 'contender.js')
const key = 'latchkey:lock:contested'
const contenders = 3

test('threads on one store, waiting and asking', async () => {
  const store = new Store({ memory: '16mb' })
  for (const waitMs of [0, 20_000]) {
    const contest: Contest = { key, ttlMs: 20_000, waitMs, rounds: 200, handle: store.handle }
    const tenures = await Promise.all(Array.from({ length: contenders }, () => inThread(store, contest)))
    checkTenures(tenures.flat(), contenders * contest.rounds)
  }
  store.close()
})

test('processes on one Latchkey server, waiting and asking', async () => {
  const server = await startLatchkey({ threads: 2 })
  try {
    for (const waitMs of [0, 20_000]) await contestOn(server, { key, ttlMs: 20_000, waitMs, rounds: 60 })
  } finally {
    await server.stop()
  }
})

test('processes on one memcached', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached')) return
  const server = await startMemcached()
  try {
    await contestOn(server, { key, ttlMs: 20_000, waitMs: 0, rounds: 60 })
  } finally {
    await server.stop()
  }
})

for (const { engine, start } of engines) {
  test(`processes on one ${engine}, waiting and asking`, async (t) => {
    const server = await start(t)
    if (server === undefined) return
    try {
      for (const waitMs of [0, 20_000]) await contestOn(server, { key, ttlMs: 20_000, waitMs, rounds: 8, engine })
    } finally {
      await server.stop()
    }
  })
}

async function contestOn({ host, port }: { host: string; port: number }, contest: Contest): Promise<void> {
  const own = { ...contest, servers: [`${host}:${port}`] }
  const tenures = await Promise.all(Array.from({ length: contenders }, () => inProcess(own)))
  checkTenures(tenures.flat(), contenders * contest.rounds)
}

async function inThread(store: Store, contest: Contest): Promise<Tenure[]> {
  const worker = new Worker(program, { workerData: contest })
  store.adopt(worker)
  const [tenures] = await once(worker, 'message')
  return tenures
}

async function inProcess(contest: Contest): Promise<Tenure[]> {
  const child = fork(program, [JSON.stringify(contest)], { serialization: 'advanced' })
  const [tenures] = await once(child, 'message')
  child.disconnect()
  return tenures
}

function checkTenures(tenures: Tenure[], count: number): void {
  assert.equal(tenures.length, count)
  tenures.sort((a, b) => a.from - b.from)
  for (const [i, { from, fence }] of tenures.slice(1).entries()) {
    assert.ok(from >= tenures[i].to, `two held it: for ${tenures[i].to - from} ms`)
    assert.ok(fence > tenures[i].fence, `fence ${fence} after ${tenures[i].fence}`)
  }
}
