/** Requests are told apart however their bytes come, and a lost reply is lost as TCP would lose it. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Incident } from 'latchkey/torture'
import { RequestFaults } from '#dist/torture/processes/request-faults.js'
import { RequestSieve } from '#dist/torture/processes/request-sieve.js'

/** What the sieve waits for keeps no program going. */
const going = setInterval(() => {}, 1000)
after(() => clearInterval(going))

function sieved(incidents: readonly Incident[]) {
  const struck: number[] = []
  const keys: string[] = []
  const faults = new RequestFaults(0, incidents, ({ nth }) => struck.push(nth))
  faults.begin()
  const sieve = new RequestSieve(faults, (key) => keys.push(key))
  const resets: string[] = []
  const pass = async (way: 'requests' | 'replies', text: string) => {
    let passed = ''
    for await (const piece of sieve[way](Buffer.from(text), () => resets.push(way))) passed += piece
    return passed
  }
  return {
    struck,
    keys,
    resets,
    requests: (text: string) => pass('requests', text),
    replies: (text: string) => pass('replies', text),
  }
}

const lose = (nth: number, cut = false): Incident => ({ at: 0, what: 'lose', who: 0, nth, cut })

const stream =
  'version\r\nmn\r\nset a 0 0 9\r\nget b\r\nge\r\nget c d\r\nms e 2 T5\r\n\r\n\r\nstats\r\nmd f C7 q\r\nadd g 0 0 1 noreply\r\nx\r\n'

test('requests are counted, but not greetings, nor what looks like one in a value', async () => {
  const { requests, struck, keys } = sieved(
    [0, 1, 2, 3, 4, 5].map((nth): Incident => ({ at: 0, what: 'delay', who: 0, nth, ms: 1 })),
  )
  assert.equal(await requests(stream), stream)
  assert.deepEqual(struck, [0, 1, 2, 3, 4])
  assert.deepEqual(keys, ['a', 'c', 'e', 'f', 'g'])
})

test('they may come byte by byte, and go on whole', async () => {
  const { requests, struck } = sieved([lose(2)])
  let passed = ''
  for (const byte of stream) passed += await requests(byte)
  assert.equal(passed, stream)
  assert.deepEqual(struck, [2])
})

test('the faults of others are not ours', async () => {
  const { requests, struck } = sieved([{ ...lose(0), who: 1 } as Incident])
  await requests('get a\r\n')
  assert.deepEqual(struck, [])
})

test('a lost reply takes all later ones with it, and no earlier one', async () => {
  const { requests, replies, resets } = sieved([lose(1)])
  await requests('get a\r\n')
  const second = requests('get b\r\nget c\r\n')
  assert.equal(await replies('VALUE a 0 1\r\nx\r\n'), 'VALUE a 0 1\r\nx\r\n')
  assert.equal(await Promise.race([second, Promise.resolve('waits')]), 'waits')
  assert.equal(await replies('END\r\n'), 'END\r\n')
  assert.equal(await second, 'get b\r\nget c\r\n')
  assert.equal(await replies('END\r\nEND\r\n'), '')
  assert.deepEqual(resets, [])
})

test('with the connection: when the reply is there, and so the request was carried out', async () => {
  const { requests, replies, resets } = sieved([lose(0, true)])
  await requests('get a\r\n')
  assert.equal(await replies('VALUE a 0 1\r\n'), '')
  assert.deepEqual(resets, [])
  assert.equal(await replies('x\r\nEND\r\n'), '')
  assert.deepEqual(resets, ['replies'])
})

test('what is no text protocol passes as it is', async () => {
  const { requests, replies, struck } = sieved([lose(5)])
  const line = `${'x'.repeat(3000)}\r\n`
  assert.equal(await requests(line), line)
  assert.equal(await requests('GET / HTTP/1.1\r\n'), 'GET / HTTP/1.1\r\n')
  assert.equal(await replies('nonsense\r\n'), 'nonsense\r\n')
  assert.deepEqual(struck, [])
})
