/**
 * Items whose time is over, by every way to give them one: asked long before and long after, since within the second
 * memcached's clock makes it undetermined.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { requirePeer } from '../support/peers.js'
import type { ServerProcess } from '../support/process.js'
import { chosenSeed } from '../support/seed.js'
import { Wire } from '../support/wire.js'
import { frame } from './differential/binary-commands.js'
import { BINARY, type Command } from './differential/conversation.js'
import { ITEM_MAX_BYTES } from './differential/material.js'
import { Seat } from './differential/seat.js'
import { type Servers, startBoth } from './differential/servers.js'
import { Random } from './random.js'

const items = 300
/** Past the end of everything that lives for two seconds, on any clock. */
const overMs = 3_000

type Way = (key: string, ttl: number) => string

const inText: readonly Way[] = [
  (key, ttl) => `set ${key} 0 ${ttl} 1\r\n5\r\n`,
  (key, ttl) => `add ${key} 0 ${ttl} 1\r\n5\r\n`,
  (key, ttl) => `set ${key} 0 0 1\r\n5\r\nreplace ${key} 0 ${ttl} 1\r\n6\r\n`,
  (key, ttl) => `set ${key} 0 ${ttl} 1\r\n5\r\nappend ${key} 0 0 1\r\n6\r\n`,
  (key, ttl) => `set ${key} 0 ${ttl} 1\r\n5\r\nincr ${key} 10\r\n`,
  (key, ttl) => `set ${key} 0 0 1\r\n5\r\ntouch ${key} ${ttl}\r\n`,
  (key, ttl) => `set ${key} 0 0 1\r\n5\r\ngat ${ttl} ${key}\r\n`,
  (key, ttl) => `set ${key} 0 ${ttl} 1\r\n5\r\ngat 100 ${key}\r\n`,
  (key, ttl) => `ms ${key} 1 T${ttl}\r\n5\r\n`,
  (key, ttl) => `ms ${key} 1 ME T${ttl}\r\n5\r\nms ${key} 1 MA T100\r\n6\r\n`,
  (key, ttl) => `set ${key} 0 0 1\r\n5\r\nmg ${key} T${ttl}\r\n`,
  (key, ttl) => `mg ${key} N${ttl}\r\n`,
  (key, ttl) => `ma ${key} N${ttl} J5\r\n`,
  (key, ttl) => `set ${key} 0 0 1\r\n5\r\nma ${key} MD T${ttl}\r\n`,
  (key, ttl) => `set ${key} 0 0 1\r\n5\r\nmd ${key} I T${ttl}\r\n`,
]
const inBinary: readonly Way[] = [
  (key, ttl) => frame(0x01, { extras: `\0\0\0\0${seconds(ttl)}`, key, value: '5' }),
  (key, ttl) => frame(0x02, { extras: `\0\0\0\0${seconds(ttl)}`, key, value: '5' }) + frame(0x0e, { key, value: '6' }),
  (key, ttl) => frame(0x01, { extras: '\0'.repeat(8), key, value: '5' }) + frame(0x1c, { extras: seconds(ttl), key }),
  (key, ttl) => frame(0x01, { extras: '\0'.repeat(8), key, value: '5' }) + frame(0x1d, { extras: seconds(ttl), key }),
  (key, ttl) => frame(0x05, { extras: `${'\0'.repeat(16)}${seconds(ttl)}`, key }),
]
const questions: readonly Way[] = [
  (key) => `get ${key}\r\n`,
  (key) => `gat 100 ${key}\r\n`,
  (key) => `mg ${key} v s\r\n`,
  (key) => `touch ${key} 0\r\n`,
  (key) => `add ${key} 0 0 1\r\nx\r\n`,
  (key) => `replace ${key} 0 0 1\r\nx\r\n`,
  (key) => `append ${key} 0 0 1\r\nx\r\n`,
  (key) => `incr ${key} 1\r\n`,
  (key) => `delete ${key}\r\n`,
  (key) => `cas ${key} 0 0 1 1\r\nx\r\n`,
  (key) => `ma ${key} N0 J7 v\r\n`,
  (key) => `mg ${key} N0 v\r\n`,
]

test(`differential: ${items} items, some of which end`, async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  const seed = chosenSeed()
  const random = new Random(seed)
  const servers = await startBoth(ITEM_MAX_BYTES)
  const seats = [new Seat(servers.ours, 0), new Seat(servers.theirs, 0)]
  const bothSay = async (text: string, on: number) => {
    const asked: Command = { protocol: 'classic', on, text, waits: false, closes: false }
    const [ours, theirs] = await Promise.all(seats.map((seat) => seat.say([asked], undefined)))
    assert.equal(ours, theirs, `LATCHKEY_FUZZ_SEED=${seed}: ${JSON.stringify(text)}`)
    return ours
  }
  try {
    for (let index = 0; index < items; index++) {
      const binary = random.chance(25)
      const [key, ttl] = [`f0.${index}`, random.pick([2, 2, 0, 100])]
      await bothSay(random.pick(binary ? inBinary : inText)(key, ttl), binary ? BINARY : 0)
      // Two seconds are one to two of memcached's: now it is there, and has been there for less than one.
      if (index % 4 === 0) await bothSay(`get ${key}\r\n`, 0)
    }
    await sleep(overMs)
    await sameDumps(servers)
    let gone = 0
    for (let index = 0; index < items; index++) {
      await bothSay(random.pick(questions)(`f0.${index}`, 0), 0)
      if ((await bothSay(`get f0.${index}\r\n`, 0)) === 'END\r\n') gone++
    }
    assert.ok(gone > items / 10 && gone < items, `${gone} of ${items} are gone`)
  } finally {
    for (const seat of seats) seat.close()
    await servers.stop()
  }
})

/** Keys and ends of what is alive; memcached dumps what is over, too, until it comes upon it. */
async function sameDumps({ ours, theirs }: Servers): Promise<void> {
  const [our, their] = await Promise.all([dump(ours), dump(theirs)])
  assert.ok(our.size > 20, `${our.size} in the dump`)
  assert.deepEqual([...our.keys()].sort(), [...their.keys()].sort())
  for (const [key, exp] of our) assert.ok(Math.abs(exp - their.get(key)!) <= 3, `${key}: ${exp}, ${their.get(key)}`)
}

async function dump(server: ServerProcess): Promise<Map<string, number>> {
  const now = Date.now() / 1000
  const wire = await Wire.open(server)
  await wire.send('lru_crawler metadump all\r\n')
  const lines = (await wire.takeUntil('END\r\n')).toString('latin1')
  wire.close()
  const found = [...lines.matchAll(/^key=(\S+) exp=(-?\d+) .*\b(fetch=(?:yes|no))\b/gm)]
  const alive = found.filter(([, , exp]) => exp === '-1' || Number(exp) > now)
  return new Map(alive.map(([, key, exp, fetch]) => [`${key} ${fetch}`, Number(exp)]))
}

function seconds(ttl: number): string {
  return String.fromCharCode(0, 0, 0, ttl)
}
