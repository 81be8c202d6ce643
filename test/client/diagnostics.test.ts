/** What is published on the diagnostics channels, as a subscriber sees it. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CommandEvent, createClient } from 'latchkey/client'
import { type ServerProcess, startLatchkey } from '../support/process.js'

let server: ServerProcess
before(async () => {
  server = await startLatchkey({ threads: 1 })
})
after(() => server.stop())

const names = ['command:start', 'command:end', 'command:error', 'connect', 'disconnect', 'reconnect']

/** Everything that is published while `run` runs, in order. */
async function published(run: () => Promise<void>): Promise<[name: string, event: Record<string, unknown>][]> {
  const seen: [string, Record<string, unknown>][] = []
  const listeners = names.map((name) => {
    // The same object comes with start and end: copied to tell what it was at the time.
    const listener = (event: unknown) => seen.push([name, { ...(event as object) }])
    subscribe(`latchkey:client:${name}`, listener)
    return () => unsubscribe(`latchkey:client:${name}`, listener)
  })
  await run()
  await sleep(0)
  for (const stop of listeners) stop()
  return seen
}

test('a command starts, and ends with its result or its error', async () => {
  const name = `127.0.0.1:${server.port}`
  const seen = await published(async () => {
    await using cache = createClient({ servers: name, keyPrefix: 'p:' })
    await cache.set('a', 'text')
    await cache.incr('a').catch(() => {})
  })
  const [start, connect, end, startIncr, error, disconnect] = seen
  assert.deepEqual(start, ['command:start', { operation: 'set', server: name, key: 'p:a' }])
  assert.deepEqual([connect[0], connect[1].server], ['connect', name])
  assert.deepEqual(end, ['command:end', { operation: 'set', server: name, key: 'p:a', result: true }])
  assert.deepEqual(startIncr, ['command:start', { operation: 'incr', server: name, key: 'p:a' }])
  assert.deepEqual(
    [error[0], error[1].operation, (error[1].error as Error).name],
    ['command:error', 'incr', 'RequestRefusedError'],
  )
  assert.equal(disconnect[0], 'disconnect')
  assert.equal(seen.length, 6)
})

test('start and end carry the same object', async () => {
  await using cache = createClient({ servers: `127.0.0.1:${server.port}` })
  const starts = new WeakSet<object>()
  const matched: string[] = []
  const onStart = (event: unknown) => void starts.add(event as object)
  const onEnd = (event: unknown) => {
    if (starts.has(event as object)) matched.push((event as CommandEvent).operation)
  }
  subscribe('latchkey:client:command:start', onStart)
  subscribe('latchkey:client:command:end', onEnd)
  await cache.get('nothing')
  await sleep(0)
  unsubscribe('latchkey:client:command:start', onStart)
  unsubscribe('latchkey:client:command:end', onEnd)
  assert.deepEqual(matched, ['get'])
})

test('a lost server: the end of the connection, and every new try', async () => {
  const lost = await startLatchkey({ threads: 1 })
  const name = `127.0.0.1:${lost.port}`
  const seen = await published(async () => {
    await using cache = createClient({ servers: name, reconnect: { minMs: 1, maxMs: 5 } })
    await cache.get('a')
    await sleep(20)
    await lost.stop()
    await sleep(100)
  })
  const tries = seen.filter(([what]) => what === 'reconnect').map(([, event]) => event.attempt as number)
  assert.ok(tries.length >= 3, `${tries}`)
  assert.deepEqual(
    tries,
    tries.map((_, i) => i + tries[0]),
  )
  assert.ok(
    seen.some(([what, event]) => what === 'disconnect' && event.server === name && event.error instanceof Error),
  )
})
