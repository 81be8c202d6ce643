/**
 * Every transcript against Latchkey with one thread and with four, in three deliveries, and against Debian's memcached,
 * from which the expectations were taken.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { requirePeer } from '../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../support/process.js'
import { projectRoot } from '../support/root.js'
import { Wire } from '../support/wire.js'
import { type Delivery, Player } from './play.js'
import { hasSleeps, parseTranscript, type Target, type Transcript } from './transcript.js'

const folder = join(projectRoot, 'test/conformance/transcripts')
const names = readdirSync(folder).sort()
const memcachedPath = '/usr/bin/memcached'

test('there are transcripts', () => assert.ok(names.length > 20, `${names.length} in ${folder}`))

for (const threads of [1, 4]) {
  test(`latchkey -t ${threads}`, async (t) => {
    const server = await startLatchkey({ threads })
    await playAll(t, server, 'latchkey', ['steps', 'bytes', 'batch'])
  })
}

test('memcached 1.6.18', async (t) => {
  if (!requirePeer(t, memcachedPath, 'apt install memcached')) return
  const version = spawnSync(memcachedPath, ['-V'], { encoding: 'utf8' }).stdout.trim()
  // A guard, not a peer that is missing: other versions say other things, and the transcripts name this one.
  if (version !== 'memcached 1.6.18')
    return t.skip(`the transcripts were taken from memcached 1.6.18, here is ${version}`)
  // Its crawler starts and stops in a thread of its own, and refuses orders meanwhile: what failed may be asked again.
  await playAll(t, await startMemcached(), '1.6.18', ['steps'], 5)
})

async function playAll(
  t: TestContext,
  server: ServerProcess,
  target: Target,
  deliveries: Delivery[],
  attempts = 1,
): Promise<void> {
  try {
    for (const name of names) {
      const transcript = parseTranscript(name, readFileSync(join(folder, name), 'latin1'), target)
      for (const delivery of deliveries.filter((each) => suits(transcript, each)))
        await t.test(`${name}, ${delivery}`, () => patiently(attempts, () => playOne(server, transcript, delivery)))
    }
  } finally {
    await server.stop()
  }
}

async function patiently(attempts: number, play: () => Promise<void>): Promise<void> {
  for (let left = attempts - 1; left > 0; left--) {
    try {
      return await play()
    } catch {
      await delay(200)
    }
  }
  await play()
}

async function playOne(server: ServerProcess, transcript: Transcript, delivery: Delivery): Promise<void> {
  assert.ok(server.alive(), `${server.name} is dead:\n${server.stderr()}`)
  await empty(server)
  await new Player(server, delivery).play(transcript)
  assert.ok(server.alive(), `${server.name} died of it:\n${server.stderr()}`)
}

/** Time is long: what sleeps is played once only. */
function suits(transcript: Transcript, delivery: Delivery): boolean {
  if (delivery === 'steps') return true
  return !hasSleeps(transcript) && !(delivery === 'batch' && transcript.noBatch !== undefined)
}

/** Waits for the transcript before to be over: a client that has gone may have left requests, on another thread. */
async function empty(server: ServerProcess): Promise<void> {
  const wire = await Wire.open(server)
  const alone = connectionsAlone.get(server) ?? (await connections(wire))
  connectionsAlone.set(server, alone)
  while ((await connections(wire)) > alone) await delay(2)
  await wire.send('flush_all\r\n')
  await wire.expect('OK\r\n')
  if (server.name.startsWith('latchkey')) await deletePinned(wire)
  wire.close()
}

/** A flush leaves locks and fences where they are. */
async function deletePinned(wire: Wire): Promise<void> {
  await wire.send('lru_crawler mgdump all\r\n')
  const dump = (await wire.takeUntil('EN\r\n')).toString('latin1')
  for (const [, key] of dump.matchAll(/^mg (.*)\r$/gm)) {
    await wire.send(`md ${key}\r\n`)
    await wire.expect('HD\r\n')
  }
}

/** What a server says of its connections when there is one. */
const connectionsAlone = new WeakMap<ServerProcess, number>()

async function connections(wire: Wire): Promise<number> {
  await wire.send('stats\r\n')
  const stats = (await wire.takeUntil('END\r\n')).toString('latin1')
  return Number(/STAT curr_connections (\d+)/.exec(stats)?.[1])
}
