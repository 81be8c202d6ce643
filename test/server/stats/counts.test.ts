/** Counters count what was done, no more and no less: the same at Latchkey and at memcached, but for a list. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../support/eventually.js'
import { requirePeer } from '../../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../../support/process.js'
import { Wire } from '../../support/wire.js'
import { type Counts, type Deed, deeds, movesAtAnyTime } from './deeds.js'
import { statNames } from './names.js'
import { numbersIn, numbersOf, say } from './replies.js'

/** Counted by bytes and connections, or by threads in the background: these have tests of their own. */
const apart = /^bytes_|connections$|^crawler_|^log_|^conn_yields|^direct_reclaims/
const watched = [...(statNames[''] as (typeof statNames)[string]).counted, 'get_flushed'].filter(
  (name) => !apart.test(name),
)

async function countsOf(wire: Wire): Promise<Map<string, number>> {
  const numbers = await numbersOf(wire)
  return new Map(watched.map((name) => [name, numbers.get(name) ?? 0]))
}

function moved(before: Map<string, number>, after: Map<string, number>, ignored: string[]): Counts {
  const changes = watched.map((name): [string, number] => [name, (after.get(name) ?? 0) - (before.get(name) ?? 0)])
  return Object.fromEntries(changes.filter(([name, change]) => change !== 0 && !ignored.includes(name)))
}

async function tokenOf(wire: Wire): Promise<string> {
  return /^HD c(\d+)/.exec(await say(wire, 'mg k c'))?.[1] ?? '0'
}

async function play(server: ServerProcess, expected: (deed: Deed) => Counts, ignored: string[] = []): Promise<void> {
  const wire = await Wire.open(server)
  for (const deed of deeds) {
    const wanted = expected(deed)
    // Between two lines of a deed the sweep may come, once in a very long while, and notice first that an item has ended.
    for (let triesLeft = deed.counts.get_expired ? 3 : 1; ; triesLeft--) {
      const lines = deed.lines.replace('{cas}', await tokenOf(wire))
      const before = await countsOf(wire)
      await say(wire, lines)
      const counts = moved(before, await countsOf(wire), ignored)
      if (triesLeft > 1 && counts.get_expired !== wanted.get_expired) continue
      assert.deepEqual(counts, wanted, `${server.name}: ${deed.lines.slice(0, 80)}`)
      break
    }
  }
  await say(wire, 'stats reset')
  assert.deepEqual(moved(new Map(), await countsOf(wire), ignored), {}, `${server.name}: reset`)
  wire.close()
}

async function withServer(
  starting: Promise<ServerProcess>,
  use: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  const server = await starting
  try {
    await use(server)
  } finally {
    await server.stop()
  }
}

function theirs({ counts, memcached = counts }: Deed): Counts {
  return Object.fromEntries(Object.entries(memcached).filter(([name]) => !movesAtAnyTime.includes(name)))
}

/** Its maintenance thread reclaims memory whenever it likes. */
const quiet = ['-o', 'no_lru_maintainer']

const hasMemcached = (t: TestContext) => requirePeer(t, '/usr/bin/memcached', 'apt install memcached')

test('memcached 1.6.18 counts what was done', async (t) => {
  if (!hasMemcached(t)) return
  await withServer(startMemcached(quiet), (server) => play(server, theirs, movesAtAnyTime))
})

test('latchkey counts what was done; bytes, connections and what expires unseen as well', async () => {
  await withServer(startLatchkey({ threads: 2 }), async (server) => {
    await play(server, ({ counts }) => counts)
    await bytesAndConnections(server)
    await unseen(server)
  })
})

async function bytesAndConnections(server: ServerProcess): Promise<void> {
  const wire = await Wire.open(server)
  await eventually('it is alone', async () => (await numbersOf(wire)).get('curr_connections') === 1)
  const first = await say(wire, 'stats')
  const miss = await say(wire, 'get nothing')
  const before = numbersIn(first)
  const after = await numbersOf(wire)
  const change = (name: string, to: Map<string, number>) => (to.get(name) as number) - (before.get(name) as number)
  assert.equal(change('bytes_read', after), 'get nothing\r\nmn\r\nstats\r\nmn\r\n'.length)
  assert.equal(change('bytes_written', after), first.length + miss.length + 2 * 'MN\r\n'.length)
  const others = await Promise.all([1, 2, 3].map(() => Wire.open(server)))
  for (const other of others) await say(other, 'version')
  const opened = await numbersOf(wire)
  assert.equal(change('total_connections', opened), 3)
  assert.equal(change('curr_connections', opened), 3)
  for (const other of others) other.close()
  await eventually('they are gone', async () => change('curr_connections', await numbersOf(wire)) === 0)
  wire.close()
}

/** Nobody asks for them: the sweep finds them, by itself or when it is told to. */
async function unseen(server: ServerProcess): Promise<void> {
  const wire = await Wire.open(server)
  await say(wire, 'stats reset\r\nset a 0 -1 1\r\nx\r\nset b 0 -1 1\r\nx\r\nset c 0 0 1\r\nx\r\nlru_crawler crawl all')
  const counts = await eventually('they are swept', async () => {
    const numbers = await numbersOf(wire)
    return numbers.get('crawler_reclaimed') === 2 && numbers
  })
  const told = ['reclaimed', 'expired_unfetched', 'get_expired'].map((name) => counts.get(name))
  assert.deepEqual(told, [2, 2, 0])
  assert.ok((counts.get('crawler_items_checked') as number) >= 2)
  wire.close()
}
