/** The same conversations with Latchkey and with Debian's memcached: the replies must be the same, but for a list. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requirePeer } from '../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../support/process.js'
import { chosenSeed } from '../support/seed.js'
import { Wire } from '../support/wire.js'
import { conversation, TOKENS_BELOW } from './commands.js'
import { madeEqual, notAsked, notAskedBehindReads } from './differences.js'
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
  const [latchkey, memcached] = await Promise.all([startLatchkey({ threads: 2 }), startMemcached(quiet)])
  try {
    await Promise.all([giveTokens(latchkey), giveTokens(memcached)])
    for (let index = 0; index < conversations; index++) {
      const random = new Random(seed + index * 7919)
      const lines = conversation(random).filter((line) => !notAsked.some(({ pattern }) => pattern.test(line)))
      const split = random.next()
      const say = async (server: ServerProcess) => {
        const wire = await emptied(server)
        const got = await (index % 2 === 0 ? sayInSteps(wire, lines) : sayAtOnce(wire, lines, new Random(split)))
        wire.close()
        return got
      }
      const [ours, theirs] = await Promise.all([say(latchkey), say(memcached)])
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

async function emptied(server: ServerProcess): Promise<Wire> {
  const wire = await Wire.open(server)
  await wire.send('flush_all\r\n')
  await wire.expect('OK\r\n')
  return wire
}

/** So that every token from here on is above those in the conversations. */
async function giveTokens(server: ServerProcess): Promise<void> {
  const wire = await Wire.open(server)
  await wire.send('set a 0 0 0\r\n\r\n'.repeat(TOKENS_BELOW))
  for (let left = TOKENS_BELOW; left > 0; left--) await wire.expect('STORED\r\n')
  wire.close()
}

/** All of it at once; then no more, so that it closes when it has answered. */
async function sayAtOnce(wire: Wire, lines: string[], random: Random): Promise<string> {
  const firstRead = lines.findIndex((line) => /^(gets?|gats?|mg) /.test(line))
  const asked = lines.filter((line, at) => firstRead < 0 || at < firstRead || !notAskedBehindReads.test(line))
  for (const piece of splitAtRandom(asked.join(''), random)) await wire.send(piece)
  wire.end()
  const got = (await wire.takeToClose()).toString('latin1')
  return madeEqual.reduce((text, { pattern, by }) => text.replace(pattern, by), got)
}

/** Each line when the one before is answered, which a question behind it tells. */
async function sayInSteps(wire: Wire, lines: string[]): Promise<string> {
  let got = ''
  for (const line of lines) {
    await wire.send(`${line}ma nothing Odone\r\n`)
    const answer = (await wire.takeUntil(answered)).toString('latin1')
    assert.ok(answer.endsWith(answered), `no answer to ${JSON.stringify(line)}; got ${JSON.stringify(answer)}`)
    got += answer.slice(0, -answered.length)
  }
  return madeEqual.reduce((text, { pattern, by }) => text.replace(pattern, by), got)
}
