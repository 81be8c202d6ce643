/** Of a protocol that is not looked into, what comes in one piece is a request, and what comes back next its reply. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Incident } from 'latchkey/torture'
import { ChunkSieve } from '#dist/torture/processes/chunk-sieve.js'
import { RequestFaults } from '#dist/torture/processes/request-faults.js'

/** What the sieve waits for keeps no program going. */
const going = setInterval(() => {}, 1000)
after(() => clearInterval(going))

function sieved(...incidents: Incident[]) {
  const faults = new RequestFaults(0, incidents, () => {})
  const sieve = new ChunkSieve(faults)
  let resets = 0
  const pass = async (way: 'requests' | 'replies', text: string) => {
    let passed = ''
    for await (const piece of sieve[way](Buffer.from(text), () => resets++)) passed += piece
    return passed
  }
  return {
    begin: () => faults.begin(),
    resets: () => resets,
    ask: (text: string) => pass('requests', text),
    answer: (text: string) => pass('replies', text),
  }
}

const lose = (nth: number, cut: boolean): Incident => ({ at: 0, what: 'lose', who: 0, nth, cut })

test('what is sent before the beginning is no request', async () => {
  const { begin, ask, answer, resets } = sieved(lose(0, true))
  assert.equal(await ask('hello'), 'hello')
  assert.equal(await answer('welcome'), 'welcome')
  begin()
  assert.equal(await ask('a'), 'a')
  assert.equal(await answer('yes'), '')
  assert.equal(resets(), 1)
})

test('without a word: nothing comes back any more, and nothing is reset', async () => {
  const { begin, ask, answer, resets } = sieved(lose(1, false))
  begin()
  assert.equal(await ask('a'), 'a')
  assert.equal(await answer('yes'), 'yes')
  assert.equal(await ask('b'), 'b')
  assert.deepEqual([await answer('no'), await answer('never'), resets()], ['', '', 0])
})

test('the reply before it comes first', async () => {
  const { begin, ask, answer } = sieved(lose(1, false))
  begin()
  await ask('a')
  const asked = ask('b')
  assert.equal(await answer('yes'), 'yes')
  assert.equal(await asked, 'b')
  assert.equal(await answer('no'), '')
})

test('one that is late goes on whole', async () => {
  const { begin, ask } = sieved({ at: 0, what: 'delay', who: 0, nth: 0, ms: 20 })
  begin()
  const from = performance.now()
  assert.equal(await ask('a'), 'a')
  assert.ok(performance.now() - from >= 19)
})
