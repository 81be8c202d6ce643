/** Processes that stand for election on each kind of server at the same time; the leader is killed, stopped, and resigns. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createLocks, type LockInfo, type Locks } from 'latchkey/locks'
import { requirePeer } from '../../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../../support/process.js'
import { engines } from '../drivers/engines.js'
import { driverOfElection, ELECTION } from './standing.js'
import { Standing, type Term } from './standing-processes.js'

interface Place {
  readonly address: string
  readonly locks: Locks
  readonly seen: (LockInfo | undefined)[]
}

type Started = { readonly address: string; stop(): Promise<unknown> }

const at = ({ host, port }: Pick<ServerProcess, 'host' | 'port'>) => `${host}:${port}`
const hasMemcached = (t: TestContext) => requirePeer(t, '/usr/bin/memcached', 'apt install memcached')

const kinds: Record<string, (t: TestContext) => Promise<Started | undefined>> = {
  async Latchkey() {
    const server = await startLatchkey({ threads: 1 })
    return { address: `memcached://${at(server)}`, stop: server.stop }
  },
  async memcached(t) {
    if (!hasMemcached(t)) return undefined
    const server = await startMemcached()
    return { address: `memcached://${at(server)}`, stop: server.stop }
  },
  async 'a quorum of three'(t) {
    if (!hasMemcached(t)) return undefined
    const servers = await Promise.all([startMemcached(), startMemcached(), startMemcached()])
    const stop = () => Promise.all(servers.map((server) => server.stop()))
    return { address: `quorum://${servers.map(at)}`, stop }
  },
  ...Object.fromEntries(
    engines
      .filter(({ engine }) => engine === 'etcd' || engine === 'redis')
      .map(({ engine, start }) => [
        engine,
        async (t: TestContext) => {
          const server = await start(t)
          return server && { address: `${engine}://${at(server)}`, stop: () => server.stop() }
        },
      ]),
  ),
}

test('a leader that is killed, stopped, or resigns is followed by another', { concurrency: true }, async (t) => {
  const started: Started[] = []
  const places: Place[] = []
  const standing = ['first', 'second', 'third'].map((name) => new Standing(name))
  const [first, second, third] = standing
  try {
    const starting = Object.entries(kinds).map(([name, start]) =>
      t.test(`on ${name}`, async (own) => {
        const server = await start(own)
        if (server !== undefined) started.push(server)
      }),
    )
    await Promise.all(starting)
    places.push(...started.map(({ address }) => observed(address)))
    const addresses = places.map(({ address }) => address)
    const everywhere = (is: (place: string) => boolean) => addresses.every(is)

    first.order({ do: 'stand', at: addresses })
    await first.until('leads', () => everywhere((place) => first.leads(place)))
    for (const one of [second, third]) one.order({ do: 'stand', at: addresses })
    for (const one of [second, third]) await one.until('stands', () => one.reports.some(({ is }) => is === 'standing'))
    // Time to ask, and to be let in if something is wrong.
    await new Promise((resolve) => setTimeout(resolve, 200))
    first.signal('SIGKILL')
    await second.until('or the third follows', () => everywhere((place) => second.leads(place) || third.leads(place)))

    for (const { address } of places) if (third.leads(address)) third.order({ do: 'resign', at: address })
    await second.until('leads', () => everywhere((place) => second.leads(place)))

    second.signal('SIGSTOP')
    await third.until('follows who is stopped', () => everywhere((place) => third.leads(place)))
    second.signal('SIGCONT')
    await second.until('is told', () => everywhere((place) => second.terms(place).at(-1)?.code === 'LOCK_LOST'))

    third.order({ do: 'stop' })
    await second.until('leads again', () => everywhere((place) => second.leads(place)))
    await third.until('stands no more', () => third.reports.some(({ is }) => is === 'stopped'))

    second.order({ do: 'stop' })
    await second.until('stands no more', () => second.reports.some(({ is }) => is === 'stopped'))
    for (const { address, locks, seen } of places) {
      await second.until('is seen to be gone', () => seen.length > 1 && seen.at(-1) === undefined)
      for await (const { name } of locks.list()) assert.fail(`${name} is left at ${address}`)
      check(
        address,
        standing.flatMap((one) => one.terms(address)),
        seen,
      )
    }
  } finally {
    await Promise.all(standing.map((one) => one.end()))
    await Promise.all(places.map(({ locks }) => locks.close()))
    await Promise.all(started.map((server) => server.stop()))
  }
})

function observed(address: string): Place {
  const locks = createLocks(driverOfElection(address))
  const seen: (LockInfo | undefined)[] = []
  const watch = async () => {
    for await (const leader of locks.observe(ELECTION, { every: '50ms' })) seen.push(leader)
  }
  void watch()
  return { address, locks, seen }
}

/** One at a time, fences in that order, and every term that lasted was seen. */
function check(address: string, terms: Term[], seen: (LockInfo | undefined)[]): void {
  terms.sort((one, other) => one.fromMs - other.fromMs)
  for (const [i, { who, fromMs, fence }] of terms.slice(1).entries()) {
    const before = terms[i]
    assert.ok(fromMs >= before.toMs, `${address}: ${before.who} and ${who} both led for ${before.toMs - fromMs} ms`)
    assert.ok(fence > before.fence, `${address}: fence ${fence} after ${before.fence}`)
  }
  const fences = seen.flatMap((leader) => (leader === undefined ? [] : [leader.fence!]))
  for (const [i, fence] of fences.slice(1).entries()) assert.ok(fence >= fences[i], `${address}: seen ${fences}`)
  for (const { who, fence, fromMs, toMs } of terms) {
    if (toMs - fromMs < 1000) continue
    assert.ok(
      seen.some((leader) => leader?.fence === fence && leader.label === who),
      `${address}: the term ${fence} of ${who} was not seen`,
    )
  }
}
