/** `watch` over several threads: who is told what, what a slow watcher costs, and what is left when it goes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ServeOptions, type Server, serve } from 'latchkey/server'
import { type EventBundle, EventKind, EventLog } from '#dist/server/events.js'
import { Metric, Metrics } from '#dist/server/metrics.js'
import { Watcher } from '#dist/server/watchers.js'
import { startLatchkey } from '../support/process.js'
import { hangMs, Wire } from '../support/wire.js'

const start = (options: ServeOptions = {}) =>
  serve({ port: 0, threads: 2, memory: '16mb', log: () => undefined, ...options })

async function watch(server: Server, words: string): Promise<Wire> {
  const wire = await Wire.open(server)
  await wire.send(`watch ${words}\r\n`)
  await wire.expect('OK\r\n')
  return wire
}

async function ask(wire: Wire, text: string, lastLine: string): Promise<void> {
  await wire.send(text)
  await wire.takeUntil(`${lastLine}\r\n`)
}

async function stat(server: Server, name: string): Promise<number> {
  const wire = await Wire.open(server)
  await wire.send('stats\r\n')
  const text = (await wire.takeUntil('END\r\n')).toString('latin1')
  wire.close()
  return Number(new RegExp(`^STAT ${name} (.*)\r$`, 'm').exec(text)?.[1])
}

/** Clients on both threads: at least one each, which `stats conns` tells by the first digit. */
async function clientsOnEachThread(server: Server): Promise<Wire[]> {
  const wires: Wire[] = []
  for (;;) {
    const wire = await Wire.open(server)
    wires.push(wire)
    await wire.send('stats conns\r\n')
    const text = (await wire.takeUntil('END\r\n')).toString('latin1')
    if (/^STAT 1\d+:addr/m.test(text) && /^STAT 2\d+:addr/m.test(text) && wires.length > 3) return wires
    assert.ok(wires.length < 200, 'both threads get connections')
  }
}

async function lines(wire: Wire, count: number): Promise<string[]> {
  const got: string[] = []
  while (got.length < count) {
    const line = (await wire.takeLine()).toString('latin1')
    assert.ok(line.endsWith('\n'), `${count} lines, not ${got.length}`)
    got.push(line.trimEnd())
  }
  return got
}

/** A bound for hangs only. */
async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + hangMs
  while (!(await done())) {
    assert.ok(Date.now() < deadline, 'it does not come about')
    await sleep(5)
  }
}

const gid = (line: string) => Number(/ gid=(\d+) /.exec(line)?.[1])

test('a watcher is told what happens on all threads, in an order that can be had', async () => {
  await using server = await start()
  const watchers = [await watch(server, 'mutations fetchers'), await watch(server, 'mutations')]
  const clients = await clientsOnEachThread(server)
  for (const [index, client] of clients.entries()) {
    await ask(client, `set key-${index} 0 0 1\r\nx\r\n`, 'STORED')
    await ask(client, `get key-${index}\r\n`, 'END')
  }
  const [both, mutations] = [await lines(watchers[0]!, clients.length * 2), await lines(watchers[1]!, clients.length)]
  both.sort((a, b) => gid(a) - gid(b))
  for (const [index] of clients.entries()) {
    assert.match(both[index * 2]!, new RegExp(`type=item_store key=key-${index} status=stored cmd=set `))
    assert.match(both[index * 2 + 1]!, new RegExp(`type=item_get key=key-${index} status=found `))
  }
  assert.deepEqual(
    mutations.sort((a, b) => gid(a) - gid(b)),
    both.filter((line) => line.includes('item_store')),
  )
  assert.equal(new Set(both.map(gid)).size, both.length, 'each event has its number')
  for (const wire of [...clients, ...watchers]) wire.close()
})

test('evictions are told', async () => {
  await using server = await start({ memory: '2mb', threads: 1 })
  const watcher = await watch(server, 'evictions')
  const client = await Wire.open(server)
  for (let i = 0; i < 400; i++)
    await ask(client, `set key-${i} 0 ${i % 2 === 0 ? 0 : 500} 10000\r\n${'x'.repeat(10_000)}\r\n`, 'STORED')
  const evictions = await stat(server, 'evictions')
  assert.ok(evictions > 100)
  const told = await lines(watcher, evictions)
  const keys = told.map((line) => {
    const found =
      /^ts=\d+\.\d{6} gid=\d+ type=eviction key=key-(\d+) fetch=no ttl=(-1|\d+) la=\d+ clsid=14 size=10000$/.exec(line)
    assert.ok(found, line)
    assert.equal(found[2] === '-1', Number(found[1]) % 2 === 0)
    return found[1]
  })
  assert.equal(new Set(keys).size, evictions)
  for (const wire of [client, watcher]) wire.close()
})

test('a watcher that does not read costs bounded memory, and is told what it has missed', async () => {
  await using server = await start({ threads: 1 })
  const watcher = await watch(server, 'fetchers')
  watcher.stopReading()
  const client = await Wire.open(server)
  const batch = `${'mg a-key-that-makes-for-long-lines q\r\n'.repeat(1000)}mn\r\n`
  let rounds = 0
  while ((await stat(server, 'log_watcher_skipped')) === 0) {
    assert.ok(rounds++ < 500, 'it is skipped at some time')
    await ask(client, batch, 'MN')
  }
  watcher.readOn()
  let told = false
  const skipped = watcher.takeUntil('\nskipped=').then(() => watcher.takeLine())
  void skipped.then(() => {
    told = true
  })
  // It is told with the first line that has room again.
  await until(async () => {
    await ask(client, 'get a\r\n', 'END')
    return told
  })
  assert.match((await skipped).toString('latin1'), /^[1-9]\d*\n$/)
  for (const wire of [client, watcher]) wire.close()
})

test('a watcher keeps so much and no more', () => {
  const metrics = Metrics.create(1)
  const watcher = new Watcher(1, EventKind.fetchers, metrics, () => undefined)
  const line = `${'x'.repeat(99)}\n`
  for (let i = 0; i < 10_000; i++) watcher.tell([EventKind.fetchers, EventKind.mutations], [line, 'not wanted'], 0)
  assert.equal(watcher.take().length, 2622 * 100)
  assert.equal(metrics.sum(Metric.LogWatcherSkipped), 10_000 - 2622)
  watcher.tell([EventKind.fetchers], [line], 5)
  assert.equal(watcher.take(), `skipped=${10_000 - 2622 + 5}\n${line}`)
  watcher.tell([EventKind.fetchers], [line], 0)
  assert.equal(watcher.take(), line)
})

test('a thread drops events while the main thread does not hear', async () => {
  const metrics = Metrics.create(1)
  const bundles: EventBundle[] = []
  const log = new EventLog(metrics, (bundle) => bundles.push(bundle))
  const key = Buffer.alloc(100, 'k')
  for (let i = 0; i < 10_000; i++) log.itemGet(key, true, 1, 1)
  assert.equal(bundles.length, 4)
  const written = metrics.sum(Metric.LogWorkerWritten)
  assert.equal(written + metrics.sum(Metric.LogWorkerDropped), 10_000)
  assert.ok(written < 5000)
  while (bundles.length < 5) log.heard()
  assert.equal(bundles.flatMap(({ lines }) => lines).length, written)
  log.heard()
  log.itemGet(key, true, 1, 1)
  await sleep(5)
  assert.equal(bundles.flatMap(({ lines }) => lines).length, written + 1)
})

test('a watcher that has left, or whose thread has died, is not told any more', async () => {
  await using server = await start()
  const watchers = await Promise.all(Array.from({ length: 20 }, () => watch(server, 'fetchers')))
  assert.equal(await stat(server, 'log_watchers'), 20)
  const late = await Wire.open(server)
  await late.send('watch\r\n')
  await late.expect('WATCHER_TOO_MANY log watcher limit reached\r\n')
  await ask(late, 'mn\r\n', 'MN')
  watchers.pop()?.close()
  await until(async () => (await stat(server, 'log_watchers')) === 19)
  watchers.push(await watch(server, 'fetchers'))
  for (const index of [0, 1]) await server.killWorker(index)
  await until(async () => (await stat(server, 'log_watchers')) === 0)
  const before = await stat(server, 'log_worker_written')
  const client = await Wire.open(server)
  await ask(client, 'get a\r\n', 'END')
  assert.equal(await stat(server, 'log_worker_written'), before, 'nobody watches, nothing is told')
  for (const wire of [...watchers, late, client]) wire.close()
})

test('a watcher says nothing more, and is let be while it is idle', async () => {
  await using server = await start({ threads: 1, idleTimeoutSeconds: 1 })
  const watcher = await watch(server, 'connevents')
  await watcher.send('get a\r\nnonsense\r\n')
  const idle = await Wire.open(server)
  assert.match(await lines(watcher, 1).then(String), /type=conn_new rip=127.0.0.1 rport=\d+ transport=tcp cfd=\d+$/)
  await idle.expectClosed()
  assert.match(await lines(watcher, 1).then(String), /type=conn_close .* reason=idle_timeout cfd=\d+$/)
  watcher.end()
  await watcher.expectClosed()
})

test('-W refuses to be watched', async () => {
  const server = await startLatchkey({ threads: 1, args: ['-W'] })
  const wire = await Wire.open(server)
  await wire.send('watch fetchers\r\n')
  await wire.expect('CLIENT_ERROR watch commands not allowed\r\n')
  wire.close()
  await server.stop()
})
