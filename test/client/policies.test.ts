/** Three servers, one down: the others are never asked for its keys, whatever the policy. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient, type Policy, ServerUnavailableError } from 'latchkey/client'
import { FaultProxy } from 'latchkey/torture'
import { type ClassicServer, startClassicServer } from '../support/classic-server.js'

const allKeys = Array.from({ length: 600 }, (_, i) => `key-${i}`)

interface Fleet {
  readonly client: Client<string>
  /** Of the server that is down. */
  readonly lost: readonly string[]
  /** Of those that are not. */
  readonly kept: readonly string[]
  readonly spare: ClassicServer
  /** Comes back. */
  readonly revive: () => Promise<void>
}

function addressOf({ host, port }: { host: string; port: number }): string {
  return `${host}:${port}`
}

/**
 * Before `body` the third server goes down: with `atFirst` before anybody has talked to it. Afterwards it is
 * checked that the other two have never been asked for any of its keys.
 */
async function withOneDown(policy: Policy, atFirst: boolean, body: (fleet: Fleet) => Promise<void>): Promise<void> {
  const servers = [await startClassicServer(), await startClassicServer(), await startClassicServer()]
  const spare = await startClassicServer()
  const proxy = await FaultProxy.start(servers[2])
  const addresses = [addressOf(servers[0]), addressOf(servers[1]), addressOf(proxy)]
  const client = createClient({
    servers: addresses,
    reconnect: { minMs: 5, maxMs: 20 },
    policy,
    gutter: { servers: addressOf(spare) },
  })
  try {
    const lost = allKeys.filter((key) => client.serverOf(key) === addresses[2])
    const kept = allKeys.filter((key) => client.serverOf(key) !== addresses[2])
    assert.ok(
      lost.length > 100 && kept.length > 250,
      `${lost.length} of ${allKeys.length} keys on one of three servers`,
    )
    if (!atFirst) await Promise.all(allKeys.map((key) => client.set(key, `old ${key}`)))
    await proxy.refuse()
    proxy.cutAll()
    await untilItIsKnown(client, lost[0])
    await body({ client, lost, kept, spare, revive: () => proxy.accept() })
    const asked = new Set([...servers[0].requests(), ...servers[1].requests()].flatMap((line) => line.split(' ')))
    assert.deepEqual(
      lost.filter((key) => asked.has(key)),
      [],
      'keys of the lost server were looked for elsewhere',
    )
    assert.ok(kept.every((key) => asked.has(key)))
    const spareAsked = new Set(spare.requests().flatMap((line) => line.split(' ')))
    assert.deepEqual(
      kept.filter((key) => spareAsked.has(key)),
      [],
      'keys of a sound server were looked for on the spare one',
    )
  } finally {
    await client.close()
    await proxy.stop()
    for (const server of [...servers, spare]) await server.stop()
  }
}

/** What was sent just before may fail as lost instead. */
async function untilItIsKnown(client: Client<string>, key: string): Promise<void> {
  const error = () => client.get(key, { policy: 'fail' }).catch((reason: unknown) => reason)
  while (!((await error()) instanceof ServerUnavailableError)) await sleep(5)
}

const unsafe: Record<string, (client: Client<string>, key: string) => Promise<unknown>> = {
  gets: (client, key) => client.gets(key),
  add: (client, key) => client.add(key, 'x'),
  replace: (client, key) => client.replace(key, 'x'),
  append: (client, key) => client.append(key, 'x'),
  prepend: (client, key) => client.prepend(key, 'x'),
  cas: (client, key) => client.cas(key, 'x', 1n),
  incr: (client, key) => client.incr(key),
  decr: (client, key) => client.decr(key, 1, { initial: 1 }),
  delete: (client, key) => client.delete(key),
  touch: (client, key) => client.touch(key, '1m'),
  update: (client, key) => client.update(key, () => 'x'),
  meta: (client, key) => client.meta('mg', key),
}

/** Calls whose answer from another server would be a lie. */
async function unsafeOnesFail({ client, lost }: Fleet): Promise<void> {
  for (const [name, call] of Object.entries(unsafe)) {
    const results = await Promise.allSettled(lost.slice(0, 50).map((key) => call(client, key)))
    for (const result of results)
      assert.ok(result.status === 'rejected' && result.reason instanceof ServerUnavailableError, name)
  }
}

async function keptOnesWork({ client, kept }: Fleet): Promise<void> {
  await Promise.all(kept.map((key) => client.set(key, `new ${key}`)))
  const found = await client.getMany(kept)
  assert.deepEqual([...found].sort(), kept.map((key) => [key, `new ${key}`]).sort())
  for (const [i, value] of (await Promise.all(kept.map((key) => client.get(key)))).entries())
    assert.equal(value, `new ${kept[i]}`)
}

/** Each of them, alone. */
async function allUnavailable(calls: Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(calls))
    assert.ok(result.status === 'rejected' && result.reason instanceof ServerUnavailableError)
}

for (const atFirst of [true, false]) {
  const when = atFirst ? 'from the first' : 'later'

  test(`down ${when}, policy fail`, () =>
    withOneDown('fail', atFirst, async (fleet) => {
      const { client, lost, kept, spare } = fleet
      await allUnavailable(lost.map((key) => client.get(key)))
      await allUnavailable(lost.map((key) => client.set(key, 'x')))
      await allUnavailable(lost.map((key) => client.gat(key, '1m')))
      await allUnavailable([client.getMany(allKeys), client.getMany(lost)])
      await unsafeOnesFail(fleet)
      await keptOnesWork(fleet)
      assert.equal((await client.getMany(kept)).size, kept.length)
      assert.equal(spare.accepted(), 0)
    }))

  test(`down ${when}, policy miss`, () =>
    withOneDown('miss', atFirst, async (fleet) => {
      const { client, lost, kept, spare } = fleet
      for (const value of await Promise.all(lost.map((key) => client.get(key)))) assert.equal(value, undefined)
      for (const stored of await Promise.all(lost.map((key) => client.set(key, 'x')))) assert.equal(stored, false)
      for (const value of await Promise.all(lost.map((key) => client.gat(key, '1m')))) assert.equal(value, undefined)
      await keptOnesWork(fleet)
      assert.equal((await client.getMany(allKeys)).size, kept.length)
      await unsafeOnesFail(fleet)
      assert.equal(spare.accepted(), 0)
    }))

  test(`down ${when}, policy gutter`, () =>
    withOneDown('gutter', atFirst, async (fleet) => {
      const { client, lost, spare, revive } = fleet
      for (const value of await Promise.all(lost.map((key) => client.get(key)))) assert.equal(value, undefined)
      for (const stored of await Promise.all(lost.map((key) => client.set(key, `spare ${key}`)))) assert.ok(stored)
      await client.set(lost[0], `spare ${lost[0]}`, { ttl: '1h' })
      await client.set(lost[1], `spare ${lost[1]}`, { ttl: '2s' })
      for (const [i, value] of (await Promise.all(lost.map((key) => client.get(key)))).entries())
        assert.equal(value, `spare ${lost[i]}`)
      await keptOnesWork(fleet)
      const found = await client.getMany(allKeys)
      assert.equal(found.size, allKeys.length)
      assert.equal(found.get(lost[2]), `spare ${lost[2]}`)
      assert.equal(await client.gat(lost[2], '1h'), `spare ${lost[2]}`)
      await unsafeOnesFail(fleet)
      checkLives(spare)
      await revive()
      await untilItsOwn(client, lost[5], atFirst ? undefined : `old ${lost[5]}`)
    }))
}

/** Nothing on a spare server lives longer than the gutter's ttl; only what is safe there was asked of it. */
function checkLives(spare: ClassicServer): void {
  const exptimes = new Set<string>()
  for (const line of spare.requests()) {
    const words = line.split(' ')
    assert.ok(['version', 'mn', 'get', 'gat', 'set'].includes(words[0]), line)
    if (words[0] === 'gat') exptimes.add(`gat ${words[1]}`)
    if (words[0] === 'set') exptimes.add(`set ${words[3]}`)
  }
  assert.deepEqual([...exptimes].sort(), ['gat 10', 'set 10', 'set 2'])
}

/** When the server is back, it is asked itself again. */
async function untilItsOwn(client: Client<string>, key: string, own: string | undefined): Promise<void> {
  const giveUpAt = performance.now() + 10_000
  while ((await client.get(key)) !== own) {
    assert.ok(performance.now() < giveUpAt, `${key} is still read from the spare server`)
    await sleep(5)
  }
}
