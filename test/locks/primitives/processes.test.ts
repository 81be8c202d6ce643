/** Jobs once a period, countdowns and barriers between processes, on real servers. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createLocks } from 'latchkey/locks'
import { requirePeer } from '../../support/peers.js'
import { startLatchkey, startMemcached } from '../../support/process.js'
import { engines } from '../drivers/engines.js'
import { driverAt } from '../support/driver-at.js'
import { type Party, withParties } from './parties.js'
import type { Stay } from './party.js'

interface Server {
  readonly host: string
  readonly port: number
  stop(): Promise<unknown>
}

interface Kind {
  readonly name: string
  /** Of its addresses. */
  readonly scheme: string
  readonly parties: number
  start(t: TestContext): Promise<Server | undefined>
}

const kinds: Kind[] = [
  { name: 'Latchkey', scheme: '', parties: 10, start: () => startLatchkey({ threads: 2 }) },
  {
    name: 'memcached',
    scheme: '',
    parties: 3,
    start: async (t) => (requirePeer(t, '/usr/bin/memcached', 'apt install memcached') ? startMemcached() : undefined),
  },
  ...engines
    .filter(({ engine }) => ['etcd', 'redis', 'postgres'].includes(engine))
    .map(({ engine, start }) => ({ name: engine, scheme: `${engine}://`, parties: 3, start })),
]

const SLOTS = 4
const ROUNDS = 4

for (const { name, scheme, parties: count, start } of kinds) {
  test(`${count} processes on ${name}: a job runs once a period, and all wait for each other`, async (t) => {
    const server = await start(t)
    if (server === undefined) return
    const address = `${scheme}${server.host}:${server.port}`
    try {
      await withParties(count, address, async (parties) => {
        await runsOnce(parties)
        await meet(parties)
        await countDown(parties)
      })
    } finally {
      await server.stop()
    }
  })
}

/** All their timers fire at the same time. */
async function runsOnce(parties: readonly Party[]): Promise<void> {
  const runs: { slot: number; fence: bigint }[] = []
  const heard = async (party: Party) => {
    for (;;) {
      const report = await party.next('ran', 'stopped')
      if (report.is === 'stopped') return
      runs.push({ slot: report.slot, fence: BigInt(report.fence) })
      if (runs.length === SLOTS) for (const each of parties) each.order({ do: 'stop' })
    }
  }
  for (const party of parties) party.order({ do: 'every', name: 'job', options: { every: 300, ttl: '10s' } })
  await Promise.all(parties.map(heard))
  assert.equal(new Set(runs.map(({ slot }) => slot)).size, runs.length, 'a period had two runs')
  runs.sort((one, other) => one.slot - other.slot)
  for (const [i, { fence }] of runs.slice(1).entries()) assert.ok(fence > runs[i].fence, 'fences rise')
}

async function meet(parties: readonly Party[]): Promise<void> {
  for (const [i, party] of parties.entries()) {
    party.order({ do: 'meet', name: 'round', id: `${i}`, parties: parties.length, rounds: ROUNDS })
  }
  await checkStays(parties)
}

async function countDown(parties: readonly Party[]): Promise<void> {
  for (const [i, party] of parties.entries()) {
    party.order({ do: 'arrive', name: 'ready', id: `${i}`, count: parties.length })
  }
  await checkStays(parties)
}

/** In each round, nobody went on before the last one had come. */
async function checkStays(parties: readonly Party[]): Promise<void> {
  const all: Stay[][] = []
  for (const party of parties) all.push((await party.next('met')).stays)
  for (const round of all[0].keys()) {
    const last = Math.max(...all.map((stays) => stays[round].from))
    const first = Math.min(...all.map((stays) => stays[round].to))
    assert.ok(first >= last, `round ${round}: one went on ${last - first} ms before all had come`)
  }
}

test('a machine that is killed, and one that is paused, while it runs the job: another takes it over', async () => {
  const server = await startLatchkey({ threads: 2 })
  const address = `${server.host}:${server.port}`
  const order = { do: 'once', name: 'job', options: { every: '4w', ttl: '1s', wait: '1m', retry: 2 } } as const
  const locks = createLocks(driverAt(address))
  try {
    await withParties(3, address, async ([killed, paused, last]) => {
      killed.order(order)
      const first = await killed.next('began')
      paused.order(order)
      await killed.stop()
      const second = await paused.next('began')
      assert.deepEqual([first.attempt, second.attempt], [1, 2])
      assert.ok(BigInt(second.fence) > BigInt(first.fence))
      assert.equal((await locks.lastRun('job'))?.pid, paused.pid)
      last.order(order)
      paused.signal('SIGSTOP')
      const third = await last.next('began')
      assert.equal(third.attempt, 3)
      assert.ok(BigInt(third.fence) > BigInt(second.fence))
      paused.order({ do: 'end' })
      paused.signal('SIGCONT')
      const late = await paused.next('result')
      assert.ok(late.ran)
      assert.match(late.recordError ?? '', /a later run/)
      last.order({ do: 'end' })
      assert.deepEqual(await last.next('result'), { is: 'result', ran: true })
      const record = await locks.lastRun('job')
      assert.deepEqual([record?.pid, record?.outcome, record?.fence], [last.pid, 'done', BigInt(third.fence)])
      last.order(order)
      assert.deepEqual(await last.next('result'), { is: 'result', ran: false })
    })
  } finally {
    await locks.close()
    await server.stop()
  }
})
