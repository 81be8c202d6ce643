/** The same conversations with Latchkey and with Debian's memcached: the replies must be the same, but for a list. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirePeer } from '../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../support/process.js'
import { chosenSeed } from '../support/seed.js'
import { Wire } from '../support/wire.js'
import { conversation } from './commands.js'
import { madeEqual, notAsked } from './differences.js'
import { splitAtRandom } from './mutate.js'
import { Random } from './random.js'

/** Its maintenance thread holds items, too. */
const quiet = ['-o', 'no_lru_maintainer']
const answered = 'NF Odone\r\n'
const conversations = Math.ceil(Number(process.env.LATCHKEY_FUZZ_FRAMES ?? 6000) / 15)

test(`differential: ${conversations} conversations`, async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  const seed = chosenSeed()
  t.diagnostic(`LATCHKEY_FUZZ_SEED=${seed}`)
  const [latchkey, memcached] = await Promise.all([startLatchkey({ threads: 2 }), startMemcached()])
  try {
    for (let index = 0; index < conversations; index++) {
      const random = new Random(seed + index * 7919)
      const lines = conversation(random).filter((line) => !notAsked.some(({ pattern }) => pattern.test(line)))
      const [ours, theirs] = await Promise.all([say(latchkey, lines, random), say(memcached, lines, random)])
      assert.ok(latchkey.alive(), latchkey.stderr())
      assert.equal(
        ours,
        theirs,
        `LATCHKEY_FUZZ_SEED=${seed}, conversation ${index}:\n${JSON.stringify(lines, null, 1)}`,
      )
    }
  } finally {
    await Promise.all([latchkey.stop(), memcached.stop()])
  }
})

/** All of it at once, to an empty server; then no more, so that it closes when it has answered. */
async function say(server: ServerProcess, lines: string[], random: Random): Promise<string> {
  const wire = await Wire.open(server)
  await wire.send('flush_all\r\n')
  await wire.expect('OK\r\n')
  for (const piece of splitAtRandom(lines.join(''), new Random(random.next()))) await wire.send(piece)
  wire.end()
  const got = (await wire.takeToClose()).toString('latin1')
  wire.close()
  return madeEqual.reduce((text, { pattern, by }) => text.replace(pattern, by), got)
}
