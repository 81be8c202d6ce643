/** Servers that leave what they hold in a file, and servers that find it there, or find something else. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type ServeOptions, type Server, serve } from 'latchkey/server'
import { Store, Table } from 'latchkey/store'
import { memoryFileProgress } from '#dist/cli/memory-file.js'
import { MemoryFile } from '#dist/server/restart/memory-file.js'
import { noteNow, stoppedFor } from '#dist/server/restart/note.js'
import { graceOf } from '#dist/server/state/lock-state.js'
import { type Moments, systemMoments } from '#dist/server/state/moments.js'
import { decodeState, type StateRecord } from '#dist/server/state/record.js'
import { eventually } from '../support/eventually.js'
import { requireWorking } from '../support/peers.js'
import { type ServerProcess, startLatchkey } from '../support/process.js'
import { projectRoot } from '../support/root.js'
import { Wire } from '../support/wire.js'
import { DeafClient } from './deaf-client.js'

const root = mkdtempSync(join(tmpdir(), 'latchkey-warm-'))
const servers: Server[] = []
after(async () => {
  // Those of tests that failed would keep this process alive.
  await Promise.allSettled(servers.map((server) => server.close()))
  rmSync(root, { recursive: true, force: true })
})
let places = 0
/** A directory of its own, and the file in it. */
function newPlace(): { dir: string; file: string } {
  const dir = join(root, `d${places++}`)
  mkdirSync(dir)
  return { dir, file: join(dir, 'cache.img') }
}

const LOCK = 'latchkey:lock:'

async function start(options: ServeOptions): Promise<{ server: Server; said: string[] }> {
  const said: string[] = []
  const log = (message: string) => void said.push(message)
  const server = await serve({ port: 0, threads: 1, memory: '4mb', log, ...options })
  servers.push(server)
  return { server, said }
}

async function ask(server: { host: string; port: number }, request: string): Promise<string> {
  const wire = await Wire.open(server)
  await wire.send(`${request}\r\nmn\r\n`)
  const answer = (await wire.takeUntil('MN\r\n')).toString('latin1').slice(0, -'MN\r\n'.length)
  wire.close()
  return answer
}

const tokenOf = (answer: string) => BigInt(/ c(\d+)/.exec(answer)![1]!)

test('a stop leaves everything, a start has it back, and no other thread count or memory is in the way', async () => {
  const { dir, file } = newPlace()
  const first = await start({ memoryFile: file, threads: 3 })
  assert.equal(await ask(first.server, 'set a 5 0 3\r\nabc\r\nset b 0 1000 1\r\nx'), 'STORED\r\nSTORED\r\n')
  const token = tokenOf(await ask(first.server, 'mg a c'))
  await ask(first.server, 'ms bound 1 z\r\nx')
  await first.server.close()
  assert.deepEqual(readdirSync(dir), ['cache.img'])
  assert.match(first.said.at(-1)!, /^latchkey: saved 2 items, 1 MiB, to \S+cache\.img in /)
  for (const options of [
    { threads: 1, memory: '30mb' },
    { threads: 4, memory: '3mb' },
  ]) {
    const { server, said } = await start({ memoryFile: file, ...options })
    assert.match(said[0]!, /^latchkey: loaded 2 items, 1 MiB, from \S+cache\.img in [\d.]+ s; stopped for /)
    assert.equal(existsSync(file), false, 'it is no longer true')
    for (let i = 0; i < 8; i++) assert.equal(await ask(server, 'mg a f c v'), `VA 3 f5 c${token}\r\nabc\r\n`)
    assert.match(await ask(server, 'mg b t'), /^HD t(1000|9\d\d)\r\n$/)
    const stats = await ask(server, 'stats')
    assert.match(stats, /STAT curr_items 2\r\n/)
    assert.match(stats, /STAT total_items 0\r\n/)
    assert.ok(tokenOf(await ask(server, 'ms c 1 c\r\nx')) > token)
    await ask(server, 'delete c')
    await server.close()
  }
})

test('a lock outlives the stop: its owner goes on, nobody else gets it, and other locks are free at once', async () => {
  const { dir, file } = newPlace()
  const options = { memoryFile: file, stateDir: dir, maxLeaseMs: 60_000 }
  let running = await start(options)
  let token = tokenOf(await ask(running.server, `ms ${LOCK}a 1 ME p50000 c\r\nx`))
  for (let restart = 0; restart < 5; restart++) {
    await running.server.close()
    running = await start(options)
    assert.ok(
      running.said.every((line) => !/may still be held|cannot be used/.test(line)),
      running.said.join('\n'),
    )
    assert.equal(await ask(running.server, `ms ${LOCK}a 1 ME p50000\r\ny`), 'NS\r\n')
    const other = await ask(running.server, `ms ${LOCK}other${restart} 1 ME p5000 c\r\ny`)
    assert.match(other, /^HD /)
    const fence = tokenOf(await ask(running.server, `ms ${LOCK}a 1 C${token} p50000 c\r\nx`))
    assert.ok(fence > token, 'the fence rises')
    token = fence
    assert.match(await ask(running.server, 'stats'), /STAT lock_grace_ms 0\r\n/)
  }
  assert.equal(await ask(running.server, `md ${LOCK}a C${token}`), 'HD\r\n')
  assert.match(await ask(running.server, `ms ${LOCK}a 1 ME p50000 c\r\ny`), /^HD /)
  await running.server.close()
})

test('an image that others may have gone on from is not believed, and the grace stands', async () => {
  const { dir, file } = newPlace()
  const options = { memoryFile: file, stateDir: dir, maxLeaseMs: 60_000 }
  const first = await start(options)
  await ask(first.server, `ms ${LOCK}a 1 ME p50000\r\nx`)
  await first.server.close()
  // The file is forgotten once; and the lock of this start is none of the image's.
  const second = await start({ stateDir: dir, maxLeaseMs: 60_000 })
  assert.match(second.said.join('\n'), /may still be held: none is given for/)
  await second.server.close()
  const third = await start(options)
  assert.match(
    third.said[0]!,
    /cannot be used: it is not of the stop that the state directory tells of\. It is kept as/,
  )
  assert.match(third.said[1]!, /may still be held: none is given for/)
  assert.match(await ask(third.server, `ms ${LOCK}a 1 ME p5000\r\nx`), /^SERVER_ERROR lock grace/)
  await third.server.close()
  // With a state directory that the one before did not have, likewise.
  const fourth = await start({ ...options, stateDir: newPlace().dir })
  assert.match(fourth.said[0]!, /not of the stop that the state directory tells of/)
  await fourth.server.close()
})

test('a grace that was not over goes on after a restart', async () => {
  const { dir, file } = newPlace()
  const options = { memoryFile: file, stateDir: dir, maxLeaseMs: 60_000 }
  const crashed = await startLatchkey({ threads: 1, args: ['-e', file, '--state-dir', dir, '--max-lease', '60'] })
  await ask(crashed, `ms ${LOCK}a 1 ME p50000\r\nx`)
  process.kill(crashed.pid, 'SIGKILL')
  await crashed.ended
  for (let restart = 0; restart < 2; restart++) {
    const { server } = await start(options)
    assert.match(await ask(server, `ms ${LOCK}a 1 ME p5000\r\nx`), /^SERVER_ERROR lock grace/)
    await server.close()
  }
})

test('after a crash the grace covers leases from before a warm restart, and from after it', async () => {
  for (const given of ['before', 'after']) {
    const { dir, file } = newPlace()
    const args = ['-e', file, '--state-dir', dir, '--max-lease', '60']
    const lock = (server: ServerProcess) => ask(server, `ms ${LOCK}a 1 ME p50000\r\nx`)
    const first = await startLatchkey({ threads: 1, args })
    if (given === 'before') assert.equal(await lock(first), 'HD\r\n')
    assert.equal(await first.stop(), 0)
    const second = await startLatchkey({ threads: 1, args })
    assert.equal(await lock(second), given === 'before' ? 'NS\r\n' : 'HD\r\n')
    process.kill(second.pid, 'SIGKILL')
    await second.ended
    const { server, said } = await start({ memoryFile: file, stateDir: dir, maxLeaseMs: 60_000 })
    assert.match(
      said.join('\n'),
      /^latchkey: no image in \S+: the last server did not stop cleanly.*\n.*may still be held: none is given for \d\d s$/,
    )
    assert.match(await ask(server, `ms ${LOCK}a 1 ME p5000\r\nx`), /^SERVER_ERROR lock grace: \d{5} ms left/)
    await server.close()
  }
})

test('a lock of a time without a state directory is reckoned with by the first start that has one', async () => {
  const { dir, file } = newPlace()
  const first = await start({ memoryFile: file })
  await ask(first.server, `ms ${LOCK}a 1 ME p500000\r\nx`)
  await first.server.close()
  const second = await start({ memoryFile: file, stateDir: dir, maxLeaseMs: 60_000 })
  assert.match(await ask(second.server, `mg ${LOCK}a v`), /^VA 1/)
  const state = decodeState(readFileSync(join(dir, 'locks.state'), 'latin1')) as StateRecord
  assert.ok(graceOf(state, systemMoments) > 400_000, 'after a crash nobody has it before it is over')
  await second.server.close()
})

test('after kill -9 there is nothing, and the next start says why, once', async () => {
  const { dir, file } = newPlace()
  const first = await start({ memoryFile: file })
  await ask(first.server, 'set a 0 0 1\r\n1')
  await first.server.close()
  const second = await startLatchkey({ threads: 1, args: ['-e', file] })
  assert.equal(await ask(second, 'get a\r\nset a 0 0 1\r\n2'), 'VALUE a 0 1\r\n1\r\nEND\r\nSTORED\r\n')
  process.kill(second.pid, 'SIGKILL')
  await second.ended
  const third = await start({ memoryFile: file })
  assert.equal(await ask(third.server, 'get a'), 'END\r\n', 'and not the 1 of before')
  assert.match(
    third.said.join('\n'),
    /^latchkey: no image in \S+: the last server did not stop cleanly\. It starts empty$/,
  )
  await third.server.close()
  rmSync(file)
  const fourth = await start({ memoryFile: file })
  assert.deepEqual(fourth.said, [], 'a first start has nothing to tell')
  await fourth.server.close()
  assert.deepEqual(readdirSync(dir), ['cache.img'])
})

test('an image that no server has left is put aside', async () => {
  const { file } = newPlace()
  const table = Table.create({ memory: '4mb' })
  await table.saveImage(file, () => 'of some other program')
  table.close()
  const { server, said } = await start({ memoryFile: file })
  assert.match(said[0]!, /cannot be used: it is not of a server\./)
  await server.close()
})

test('what cannot be used is told of in one line and kept aside, and the server starts empty', async () => {
  const { dir, file } = newPlace()
  const good = await start({ memoryFile: file })
  await ask(good.server, 'set a 0 0 1\r\n1')
  await good.server.close()
  const image = readFileSync(file)
  const flipped = Buffer.from(image)
  flipped[flipped.length - 3000]! ^= 4
  const bad: [content: Buffer, words: RegExp][] = [
    [flipped, /it is damaged/],
    [image.subarray(0, -7), /it is cut short/],
    [Buffer.from('my diary'), /it is no image of latchkey/],
    [Buffer.alloc(0), /it is empty/],
  ]
  for (const [content, words] of bad) {
    writeFileSync(file, content)
    const { server, said } = await start({ memoryFile: file })
    assert.equal(said.length, 1)
    assert.match(said[0]!, words)
    assert.match(
      said[0]!,
      /^latchkey: the image \S+cache\.img cannot be used: .*\. It is kept as \S+cache\.img\.refused, and the server starts empty$/,
    )
    assert.deepEqual(readFileSync(`${file}.refused`), content)
    assert.equal(await ask(server, 'get a'), 'END\r\n')
    await server.close()
  }
  assert.deepEqual(readdirSync(dir), ['cache.img', 'cache.img.refused'], 'no more than one')
})

test('a place where no file can be is refused at the start, and so is one in use', async () => {
  const { dir, file } = newPlace()
  const refused = async (memoryFile: string, words: RegExp) => {
    await assert.rejects(start({ memoryFile }), (error: NodeJS.ErrnoException) => {
      assert.equal(error.code, 'MEMORY_FILE')
      assert.match(error.message, words)
      return true
    })
  }
  await refused(dir, /it is there, and no file/)
  await refused(join(dir, 'none', 'x'), /no such file or directory/)
  const first = await start({ memoryFile: file })
  await refused(file, /it is in use by another server/)
  symlinkSync(dir, `${dir}-link`)
  await refused(join(`${dir}-link`, 'cache.img'), /in use by another server/)
  symlinkSync('cache.img', join(dir, 'link'))
  await refused(join(dir, 'link'), /in use by another server/)
  const beside = await start({ memoryFile: join(dir, 'other.img') })
  await beside.server.close()
  await ask(first.server, 'set a 0 0 1\r\n1')
  await first.server.close()
  await first.server.closed
  const { server } = await start({ memoryFile: file })
  assert.equal(await ask(server, 'get a'), 'VALUE a 0 1\r\n1\r\nEND\r\n')
  await server.close()
})

test('a start that fails takes nothing away', async () => {
  const { file } = newPlace()
  const first = await start({ memoryFile: file })
  await first.server.close()
  const before = readFileSync(file)
  const other = await start({})
  await assert.rejects(start({ memoryFile: file, port: other.server.port }), { code: 'EADDRINUSE' })
  assert.deepEqual(readFileSync(file), before)
  await other.server.close()
})

test('when the file cannot be written, close says so, and all else is done', async () => {
  const { dir, file } = newPlace()
  const { server, said } = await start({ memoryFile: file })
  const { port } = server
  rmSync(dir, { recursive: true })
  await assert.rejects(server.close(), { code: 'ENOENT' })
  await assert.rejects(server.closed, { code: 'ENOENT' })
  assert.match(said.at(-1)!, /^latchkey: the image \S+cache\.img cannot be written: ENOENT/)
  const again = await start({ port })
  await again.server.close()
})

/** Clocks that a test sets. */
class Clocks implements Moments {
  wall = 1_790_000_000_000
  bootId: string | undefined = 'a1'
  bootMs = 50_000
  wallMs = () => this.wall
  boot = () => (this.bootId === undefined ? undefined : { id: this.bootId, ms: this.bootMs })
}

test('the time stopped is the wall clock’s, within what the time since boot allows', () => {
  const note = noteNow(undefined, new Clocks())
  const stopped = (change: Partial<Clocks>) => stoppedFor(note, Object.assign(new Clocks(), change))
  const { wall, bootMs } = new Clocks()
  assert.equal(stopped({}), 0)
  assert.equal(stopped({ wall: wall + 7003, bootMs: bootMs + 7000 }), 7003)
  assert.equal(stopped({ wall: wall + 3_600_000, bootMs: bootMs + 7000 }), 6990, 'set forward: no lock ends too soon')
  assert.equal(stopped({ wall: wall - 3_600_000, bootMs: bootMs + 7000 }), 6990, 'set back')
  assert.equal(stopped({ wall: wall + 90_000, bootId: 'b2', bootMs: 10 }), 90_000, 'another boot: the wall clock')
  assert.equal(stopped({ wall: wall - 90_000, bootId: 'b2', bootMs: 10 }), 0)
  assert.equal(stopped({ wall: wall + 90_000, bootId: undefined }), 90_000)
})

test('what ends while the server is stopped is gone; a clock set back gives nothing more', async () => {
  const { file } = newPlace()
  const moments = Object.assign(new Clocks(), { bootId: undefined })
  const hooks = { log: () => undefined, onProgress: () => undefined, moments }
  const store = { memory: '2mb' }
  const table = Table.create(store)
  new Store(table).set('short', 'x', { ttlMs: 100_000 })
  new Store(table).set('long', 'x', { ttlMs: 900_000 })
  const written = await MemoryFile.open(file, hooks)
  await written.save(table, undefined)
  written.close()
  table.close()
  const left = async (ms: number) => {
    const own = Object.assign(new Clocks(), { bootId: undefined, wall: moments.wall + ms })
    const found = await MemoryFile.open(file, { ...hooks, moments: own })
    const again = (await found.load(store, undefined))!
    found.close()
    const reading = new Store(again)
    const ttls = ['short', 'long'].map((key) => Math.ceil((reading.gets(key)?.ttlMs ?? 0) / 100_000))
    again.close()
    return ttls
  }
  assert.deepEqual(await left(0), [1, 9])
  assert.deepEqual(await left(150_000), [0, 8])
  assert.deepEqual(await left(-86_400_000), [1, 9])
})

test('SIGTERM, SIGINT, SIGUSR1 and shutdown all leave the file', async (t) => {
  const hasPython = requireWorking(t, '/usr/bin/python3', ['-c', 'import pymemcache'], 'apt install python3-pymemcache')
  if (!hasPython) return
  const { dir, file } = newPlace()
  const python = (server: ServerProcess, code: string) => {
    const script = `from pymemcache.client.base import Client\nc = Client(('${server.host}', ${server.port}), default_noreply=False)\n${code}`
    const { status, stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', script], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    return stdout.trim()
  }
  for (const [round, how] of ['SIGTERM', 'SIGINT', 'SIGUSR1', 'shutdown'].entries()) {
    const server = await startLatchkey({ threads: 1, memoryMb: 8, args: ['-e', file, '-A', '-P', join(dir, 'pid')] })
    assert.equal(python(server, `print(c.get('round'))`), round === 0 ? 'None' : `b'${round - 1}'`)
    python(server, `c.set('round', '${round}'); c.set_many({'k%d' % i: 'v' * 500 for i in range(${round} * 100)})`)
    if (how === 'shutdown') {
      const wire = await Wire.open(server)
      await wire.send('shutdown\r\n')
      await wire.takeToClose()
    } else process.kill(server.pid, how)
    assert.equal(await server.ended, 0, how)
    assert.ok(statSync(file).size > 0, how)
    assert.deepEqual(readdirSync(dir), ['cache.img'], how)
  }
})

const main = join(projectRoot, 'dist/cli/main.js')

test('from the command line: 1 for a place that cannot be, and for a file that could not be left', async () => {
  const { dir } = newPlace()
  const { status, stderr } = spawnSync(process.execPath, [main, 'serve', '-p', '0', '-e', dir], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /^latchkey: memory file \S+: it is there, and no file\n$/)
  const server = await startLatchkey({ threads: 1, memoryMb: 8, args: ['-e', join(dir, 'x')] })
  rmSync(dir, { recursive: true })
  assert.equal(await server.stop(), 1)
  assert.match(server.stderr(), /cannot be written: ENOENT/)
})

test('a second signal ends at once, and leaves what is not whole to be cleared away', async () => {
  const { dir, file } = newPlace()
  for (const signals of [
    ['SIGINT', 'SIGINT'],
    ['SIGTERM', 'SIGINT'],
    ['SIGUSR1', 'SIGTERM'],
  ] as const) {
    const server = await startLatchkey({ threads: 1, memoryMb: 8, args: ['-e', file] })
    // Who does not fetch its replies is waited for: so it is just stopping when the second one comes.
    const deaf = await DeafClient.open(server)
    deaf.send(`set big 0 0 1000000\r\n${'x'.repeat(1e6)}\r\n${'get big\r\n'.repeat(50)}`)
    await eventually('it has replies for it', async () => (await ask(server, 'mg big')) === 'HD\r\n')
    // What it would be writing then.
    writeFileSync(`${file}.new`, 'unfinished')
    process.kill(server.pid, signals[0])
    await eventually('it takes no more connections', async () => {
      const wire = await Wire.open(server).catch(() => undefined)
      wire?.close()
      return wire === undefined
    })
    process.kill(server.pid, signals[1])
    assert.equal(await server.ended, signals[1])
    deaf.close()
    assert.equal(existsSync(file), false)
  }
  const { server, said } = await start({ memoryFile: file })
  assert.match(said[0]!, /did not stop cleanly/)
  await server.close()
  assert.deepEqual(readdirSync(dir), ['cache.img'])
})

test('as another user, who must be able to write the file', async (t) => {
  if (!requireWorking(t, 'sh', ['-c', '[ "$(id -u)" = 0 ] && id nobody'], 'run as root')) return
  const { dir, file } = newPlace()
  writeFileSync(file, 'kept')
  const args = [main, 'serve', '-p', '0', '-e', file, '-u', 'nobody']
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /^latchkey: user nobody cannot write the memory file: EACCES/)
  assert.deepEqual(readdirSync(dir), ['cache.img'])
  assert.equal(readFileSync(file, 'utf8'), 'kept')
})

test('progress is one line again and again on a terminal, and lines now and then elsewhere', (t) => {
  let nowMs = 0
  t.mock.method(performance, 'now', () => (nowMs += 1100))
  const shown = (isTTY: boolean, shares: number[]) => {
    let text = ''
    const stream = { isTTY, write: (more: string) => (text += more) } as unknown as NodeJS.WriteStream
    const show = memoryFileProgress(stream)
    for (const done of shares) show({ path: 'x.img', doing: 'saving', done, total: 200 })
    return text
  }
  const line = (share: number) => `latchkey: saving x.img: ${share} %`
  assert.equal(shown(true, [90, 101, 200]), `\r\x1b[K${line(45)}\r\x1b[K${line(50)}\r\x1b[K`)
  assert.equal(shown(false, [1, 90, 200]), '', 'soon done')
  assert.equal(shown(false, [1, 10, 20, 30, 40, 200]), `${line(10)}\n${line(20)}\n`)
})
