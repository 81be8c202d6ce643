/** `ms … ME w<ms>` and `z` over sockets, on several server threads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ServeOptions, type Server, serve } from 'latchkey/server'
import { Wire } from '../support/wire.js'

/** Longer than any test takes. */
const LONG = 'w60000'

const small = (options: ServeOptions = {}) =>
  serve({ port: 0, threads: 3, memory: '16mb', log: () => undefined, ...options })

async function ask(wire: Wire, text: string): Promise<string> {
  await wire.send(text)
  return (await wire.takeLine()).toString('latin1')
}

async function lockRow(wire: Wire, name: string): Promise<number> {
  await wire.send('stats locks\r\n')
  const text = (await wire.takeUntil('END\r\n')).toString('latin1')
  return Number(new RegExp(`^STAT ${name} (.*)\r$`, 'm').exec(text)?.[1])
}

/** Waits until a row of `stats locks` has this value. */
async function untilRow(wire: Wire, name: string, value: number): Promise<void> {
  while ((await lockRow(wire, name)) !== value) await sleep(2)
}

/** Connections that wait for `k`, in this order. */
async function queueUp(server: Server, admin: Wire, count: number, flags = ''): Promise<Wire[]> {
  const wires: Wire[] = []
  const before = await lockRow(admin, 'waiters')
  for (let i = 0; i < count; i++) {
    const wire = await Wire.open(server)
    await wire.send(`ms k 2 ME ${LONG} c O${i} ${flags}\r\n${String(i).padStart(2)}\r\n`)
    wires.push(wire)
    await untilRow(admin, 'waiters', before + i + 1)
  }
  return wires
}

const HELD = 'ms k 4 ME\r\nheld\r\n'
const tokenOf = (line: string) => BigInt(/ c(\d+)/.exec(line)![1]!)

for (const [path, env] of [
  ['raw streams', '0'],
  ['plain sockets', '1'],
] as const) {
  const open = async (options?: ServeOptions) => {
    process.env.LATCHKEY_PLAIN_SOCKETS = env
    try {
      return await small(options)
    } finally {
      delete process.env.LATCHKEY_PLAIN_SOCKETS
    }
  }

  test(`${path}: first come, first served, over all threads; each delete hands over`, async () => {
    await using server = await open()
    const admin = await Wire.open(server)
    assert.equal(await ask(admin, HELD), 'HD\r\n')
    const wires = await queueUp(server, admin, 12)
    assert.equal(await ask(admin, 'mg k w\r\n'), 'HD w12\r\n')
    let last = 0n
    for (const [i, wire] of wires.entries()) {
      assert.equal(await ask(admin, i % 2 === 0 ? 'md k\r\n' : 'delete k\r\n'), i % 2 === 0 ? 'HD\r\n' : 'DELETED\r\n')
      assert.equal(await ask(admin, 'add k 0 0 1\r\nx\r\n'), 'NOT_STORED\r\n', 'nobody slips in')
      assert.equal(await ask(admin, 'mg k v\r\n'), 'VA 2\r\n')
      await admin.expect(`${String(i).padStart(2)}\r\n`)
      const line = (await wire.takeLine()).toString('latin1')
      assert.match(line, new RegExp(`^HD w\\d+ c\\d+ O${i}\r\n$`))
      assert.ok(tokenOf(line) > last)
      last = tokenOf(line)
    }
    assert.equal(await lockRow(admin, 'hand_overs'), 12)
    for (const wire of [admin, ...wires]) wire.close()
  })

  test(`${path}: nothing behind a waiting request is answered before it, however much that is`, async () => {
    await using server = await open()
    const [admin, wire] = await Promise.all([Wire.open(server), Wire.open(server)])
    await ask(admin, HELD)
    const behind = 'mg nothing k\r\n'.repeat(20_000)
    await wire.send(`mn\r\nms k 1 ME ${LONG} k\r\nx\r\n${behind}`)
    await wire.expect('MN\r\n')
    await untilRow(admin, 'waiters', 1)
    await sleep(20)
    assert.equal(wire.peek().length, 0)
    await ask(admin, 'md k\r\n')
    assert.match((await wire.takeLine()).toString(), /^HD w\d+ kk\r\n$/)
    assert.equal((await wire.take(20_000 * 13)).toString(), 'EN knothing\r\n'.repeat(20_000))
    for (const each of [admin, wire]) each.close()
  })

  test(`${path}: a client that closes, or says no more, leaves the queue, also from its head`, async () => {
    await using server = await open()
    const admin = await Wire.open(server)
    await ask(admin, HELD)
    const [gone, ended, next] = (await queueUp(server, admin, 3)) as [Wire, Wire, Wire]
    gone.close()
    await untilRow(admin, 'waiters', 2)
    await ended.send('mn\r\n')
    ended.end()
    assert.equal((await ended.takeToClose()).toString(), 'NS c0 O1\r\nMN\r\n')
    await untilRow(admin, 'waiters', 1)
    await ask(admin, 'md k\r\n')
    assert.match((await next.takeLine()).toString(), /^HD/)
    // One that has said its last before does not begin to wait.
    const late = await Wire.open(server)
    await late.send(`ms k 1 ME ${LONG}\r\nx\r\n`)
    late.end()
    assert.equal((await late.takeToClose()).toString(), 'NS\r\n')
    assert.equal(await lockRow(admin, 'waits_abandoned'), 3)
    for (const wire of [admin, next]) wire.close()
  })

  test(`${path}: what is bound to a connection goes with it, and is handed over`, async () => {
    await using server = await open()
    const admin = await Wire.open(server)
    const holder = await Wire.open(server)
    assert.equal(await ask(holder, 'ms k 1 ME z\r\nx\r\n'), 'HD\r\n')
    assert.equal(await ask(holder, 'ms other 1 z MS\r\nx\r\n'), 'HD\r\n')
    assert.equal(await ask(holder, 'ms mine 1 z\r\nx\r\n'), 'HD\r\n')
    assert.equal(await ask(admin, 'ms mine 1\r\ny\r\n'), 'HD\r\n')
    const [first, second] = (await queueUp(server, admin, 2, 'z')) as [Wire, Wire]
    assert.equal(await lockRow(admin, 'bound_items'), 3)
    holder.close()
    assert.match((await first.takeLine()).toString(), /^HD/)
    while ((await ask(admin, 'mg other\r\n')) !== 'EN\r\n') await sleep(2)
    assert.equal(await ask(admin, 'mg mine\r\n'), 'HD\r\n', 'another has stored it since: it is not bound any more')
    first.end()
    assert.match((await second.takeLine()).toString(), /^HD/)
    await second.send('quit\r\n')
    while ((await ask(admin, 'mg k\r\n')) !== 'EN\r\n') await sleep(2)
    await untilRow(admin, 'bound_items', 0)
    admin.close()
  })
}

test('a wait ends after its time with NS, and w0 does not wait', async () => {
  await using server = await small()
  const wire = await Wire.open(server)
  assert.equal(await ask(wire, 'ms k 1 ME w100\r\nx\r\n'), 'HD w0\r\n')
  assert.equal(await ask(wire, 'ms k 1 ME w50 k q O7\r\nx\r\n'), 'NS kk O7\r\n')
  assert.equal(await ask(wire, 'ms k 1 ME w0\r\nx\r\n'), 'NS\r\n')
  assert.equal(await lockRow(wire, 'waits'), 1)
  assert.equal(await lockRow(wire, 'waits_timed_out'), 1)
  // Several on one connection, one after the other, and quietly.
  await wire.send('ms k 1 ME w20\r\nx\r\nms k 1 ME w20 O2\r\nx\r\nmd k\r\nms k 1 ME w20 q\r\nx\r\nmn\r\n')
  await wire.expect('NS\r\nNS O2\r\nHD\r\nMN\r\n')
  wire.close()
})

test('an item that expires is handed over when it does; the new one lives from then', async () => {
  await using server = await small()
  const [wire, admin] = await Promise.all([Wire.open(server), Wire.open(server)])
  await ask(admin, 'ms k 1 ME p80\r\na\r\n')
  const granted = await ask(wire, `ms k 2 ME ${LONG} p50000 s f F5\r\nbb\r\n`)
  assert.match(granted, /^HD w\d+ s2 f5\r\n$/)
  const left = Number(/p(\d+)/.exec(await ask(admin, 'mg k p\r\n'))![1])
  assert.ok(left > 0 && left <= 50_000, `${left} ms are left`)
  for (const each of [wire, admin]) each.close()
})

test('what cannot wait is refused', async () => {
  await using server = await small({ memory: '2mb' })
  const wire = await Wire.open(server)
  assert.equal(await ask(wire, 'ms k 1 MS w10\r\nx\r\n'), 'CLIENT_ERROR w is for mode ME only\r\n')
  const long = 'x'.repeat(705)
  assert.equal(await ask(wire, `ms k 705 ME w10\r\n${long}\r\n`), 'CLIENT_ERROR value too long to wait with\r\n')
  assert.equal(await ask(wire, 'mg k\r\n'), 'EN\r\n')
  await ask(wire, HELD)
  const places = await lockRow(wire, 'waiters_max')
  const holder = await Wire.open(server)
  for (let i = 0; i < places - 10; i++) assert.equal(await ask(holder, `ms b${i} 1 z\r\nx\r\n`), 'HD\r\n')
  const wires = await queueUp(server, wire, 10)
  assert.equal(await ask(wire, `ms k 1 ME ${LONG}\r\nx\r\n`), 'SERVER_ERROR too many waiters\r\n')
  assert.equal(await ask(wire, 'ms b 1 z\r\nx\r\n'), 'SERVER_ERROR too many bound items\r\n')
  // Its own that are bound no more give their places up.
  for (let i = 0; i < 5; i++) await ask(wire, `md b${i}\r\n`)
  assert.equal(await ask(holder, 'ms b 1 z\r\nx\r\n'), 'HD\r\n')
  holder.close()
  await untilRow(wire, 'bound_items', 0)
  for (const each of [wire, ...wires]) each.close()
})

test('a connection that waits is not idle', async () => {
  await using server = await small({ idleTimeoutSeconds: 1 })
  const [wire, holder] = await Promise.all([Wire.open(server), Wire.open(server)])
  await ask(holder, 'ms k 1 ME p3500\r\nx\r\n')
  assert.match(await ask(wire, `ms k 1 ME ${LONG}\r\ny\r\n`), /^HD w\d+\r\n$/)
  for (const each of [wire, holder]) each.close()
})

test('a server that stops says so to those who wait', async () => {
  const server = await small()
  const admin = await Wire.open(server)
  await ask(admin, HELD)
  const wires = await queueUp(server, admin, 3)
  await wires[0]!.send('mn\r\n')
  const ends = Promise.all(wires.map((wire) => wire.takeToClose()))
  await server.close()
  const line = 'SERVER_ERROR server is shutting down\r\n'
  assert.deepEqual((await ends).map(String), [`${line}MN\r\n`, line, line])
})

test('a thread that dies: its clients leave the queue, what was bound to them goes, the others move up', async () => {
  await using server = await small({ threads: 2 })
  let admin = await Wire.open(server)
  // Which thread serves whom is the system's choice: bind a key on every connection, and see which are gone.
  const holders = await Promise.all(Array.from({ length: 12 }, () => Wire.open(server)))
  for (const [i, holder] of holders.entries()) assert.equal(await ask(holder, `ms h${i} 1 z\r\nx\r\n`), 'HD\r\n')
  await ask(admin, HELD)
  const wires = await queueUp(server, admin, 12, 'z')
  await server.killWorker(0)
  for (;;) {
    if (admin.closed) admin = await Wire.open(server)
    await admin.send('mn\r\n')
    if ((await admin.takeLine()).toString() === 'MN\r\n') break
  }
  const alive = (all: Wire[]) => all.filter((wire) => !wire.closed)
  await untilRow(admin, 'waiters', alive(wires).length)
  await untilRow(admin, 'bound_items', alive(holders).length)
  for (const [i, holder] of holders.entries())
    assert.equal(await ask(admin, `mg h${i}\r\n`), holder.closed ? 'EN\r\n' : 'HD\r\n')
  await ask(admin, 'md k\r\n')
  for (const wire of alive(wires)) {
    assert.match((await wire.takeLine()).toString(), /^HD/)
    wire.close()
  }
  for (const wire of [admin, ...holders]) wire.close()
})

test('lru_crawler metadump pinned lists pinned keys alone', async () => {
  await using server = await small()
  const wire = await Wire.open(server)
  for (let i = 0; i < 30; i++) await ask(wire, `set plain${i} 0 0 1\r\nx\r\n`)
  for (let i = 0; i < 30; i++) await ask(wire, `set latchkey:lock:${i} 0 0 1\r\nx\r\n`)
  await wire.send('lru_crawler metadump pinned\r\n')
  const lines = (await wire.takeUntil('END\r\n')).toString().split('\n').slice(0, -2)
  const keys = lines.map((line) => /^key=(\S+) exp=-1 la=\d+ cas=\d+ /.exec(line)?.[1]).sort()
  assert.deepEqual(keys, Array.from({ length: 30 }, (_, i) => `latchkey%3Alock%3A${i}`).sort())
  assert.equal(await lockRow(wire, 'pinned_items'), 30)
  wire.close()
})
