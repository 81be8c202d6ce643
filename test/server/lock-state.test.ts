/** The state that locks leave for the next start: the file, its directory, and what a table does with them. */
import assert from 'node:assert/strict'
import fs, { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { serve } from 'latchkey/server'
import {
  casEpochAt,
  type Inherited,
  type LeaseKeeper,
  Store,
  StoreGraceError,
  StoreLeaseError,
  type StoreOptions,
  StoreStateError,
  Table,
} from 'latchkey/store'
import type { Files } from '#dist/server/state/file.js'
import { graceOf, LockState, leaseKeeper } from '#dist/server/state/lock-state.js'
import type { Moments } from '#dist/server/state/moments.js'
import { occupy } from '#dist/server/state/occupancy.js'
import { decodeState, encodeState, type StateRecord } from '#dist/server/state/record.js'
import { Global } from '#dist/store/layout.js'
import { ownerWord } from '#dist/store/lock.js'
import { Memory } from '#dist/store/memory.js'
import { VirtualClock } from '../store/virtual-clock.js'
import { eventually } from '../support/eventually.js'

const root = mkdtempSync(join(tmpdir(), 'latchkey-state-'))
after(() => rmSync(root, { recursive: true, force: true }))
let directories = 0
function directory(): string {
  const dir = join(root, `d${directories++}`)
  mkdirSync(dir)
  return dir
}

const LOCK = 'latchkey:lock:x'
const REGISTER = 'latchkey:register:x'
const sample: StateRecord = {
  clean: false,
  wallMs: 1_790_000_000_000,
  boot: { id: '3f0e-77', ms: 8_123_456 },
  leaseMs: 600_000,
  ceiling: 881_000_000_000_000_000n,
}

/** Clocks that a test sets. */
class FakeMoments implements Moments {
  wall = 1_790_000_000_000
  bootId: string | undefined = 'a1'
  bootMs = 50_000
  wallMs = () => this.wall
  boot = () => (this.bootId === undefined ? undefined : { id: this.bootId, ms: this.bootMs })
  advance(ms: number): void {
    this.wall += ms
    this.bootMs += ms
  }
}

const silent = () => undefined

test('a record is read as it was written', () => {
  for (const record of [sample, { ...sample, clean: true, boot: undefined }])
    assert.deepEqual(decodeState(encodeState(record)), record)
})

test('cut short anywhere, or with a byte changed, it is refused', () => {
  const text = encodeState(sample)
  for (let length = 0; length < text.length; length++)
    assert.equal(typeof decodeState(text.slice(0, length)), 'string', `${length} bytes`)
  for (let at = 0; at < text.length; at++) {
    const changed = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1)
    assert.equal(typeof decodeState(changed), 'string', `byte ${at}`)
  }
  assert.equal(typeof decodeState(`${text}\n`), 'string')
})

test('what is not ours is told apart from what is of another version', () => {
  assert.match(decodeState('hello') as string, /no lock state/)
  assert.match(decodeState('') as string, /empty/)
  assert.match(decodeState(encodeState(sample).replace('state 1', 'state 2')) as string, /version 2, and this server/)
})

test('a file that cannot be used is told of and kept, and the longest lease is waited for', async () => {
  const dir = directory()
  const path = join(dir, 'locks.state')
  const bad = ['torn', encodeState(sample).slice(0, 100), encodeState(sample).replace('state 1', 'state 2')]
  for (const [index, text] of bad.entries()) {
    writeFileSync(path, text)
    const said: string[] = []
    const state = await LockState.open(dir, 45_000, (message) => said.push(message))
    assert.equal(state.inherited.graceMs, 45_000)
    assert.ok(state.inherited.casFloor > casEpochAt(Date.now() + 300 * 86_400_000))
    assert.equal(said.length, 1)
    assert.ok(said[0]!.includes(path) && said[0]!.includes(`refused-${index + 1}`), said[0])
    assert.equal(readFileSync(`${path}.refused-${index + 1}`, 'latin1'), text)
    state.close()
    // That start failed, say for its port: the next one knows no less.
    const again = await LockState.open(dir, 45_000, (message) => said.push(message))
    assert.ok(again.inherited.graceMs > 40_000, `${again.inherited.graceMs}`)
    assert.ok(again.inherited.casFloor >= state.inherited.casFloor)
    again.close()
  }
  assert.equal(readFileSync(`${path}.refused-1`, 'latin1'), 'torn')
})

test('a first start waits for nothing', async () => {
  const state = await LockState.open(directory(), 45_000, silent)
  assert.deepEqual(state.inherited, { casFloor: 0n, graceMs: 0, maxLeaseMs: 45_000 })
  state.close()
})

test('the wait is what the more cautious clock says, and no longer than a lease', () => {
  const moments = new FakeMoments()
  const left = (change: Partial<FakeMoments>) =>
    graceOf(
      { ...sample, wallMs: moments.wall + 30_000, boot: { id: 'a1', ms: moments.bootMs + 30_000 } },
      Object.assign(new FakeMoments(), change),
    )
  const { wall, bootMs } = moments
  assert.equal(left({}), 30_000)
  assert.equal(left({ wall: wall + 10_000, bootMs: bootMs + 10_000 }), 20_000)
  assert.equal(left({ wall: wall + 40_000, bootMs: bootMs + 40_000 }), 0)
  assert.equal(left({ wall: wall + 86_400_000 }), 30_000, 'set forward on the same boot')
  assert.equal(left({ wall: wall - 86_400_000 }), 600_000, 'set back: longer, but bounded')
  assert.equal(left({ bootId: 'b2', bootMs: 10 }), 30_000, 'another boot: by the wall clock')
  assert.equal(left({ bootId: undefined }), 30_000)
})

test('a directory that cannot be used is refused', async () => {
  const dir = directory()
  writeFileSync(join(dir, 'file'), '')
  for (const path of [join(dir, 'none'), join(dir, 'file')]) {
    await assert.rejects(LockState.open(path, 1000, silent), (error: Error & { code: string }) => {
      assert.equal(error.code, 'LOCK_STATE')
      return error.message.includes(path) && (path.endsWith('file') || /mount that.*mkdir/.test(error.message))
    })
    await assert.rejects(serve({ port: 0, stateDir: path, log: silent }), { code: 'LOCK_STATE' })
  }
  mkdirSync(join(dir, 'locks.state'))
  await assert.rejects(LockState.open(dir, 1000, silent), /EISDIR/)
  assert.deepEqual(readdirSync(dir).sort(), ['file', 'locks.state'], 'and nothing is left behind')
})

test('two servers cannot have one directory, however long its path', async () => {
  for (const dir of [directory(), join(directory(), 'd'.repeat(150))]) {
    mkdirSync(dir, { recursive: true })
    const first = await occupy(dir)
    await assert.rejects(occupy(dir), /in use by another server/)
    await assert.rejects(occupy(dir), /in use by another server/)
    first.leave()
    assert.deepEqual(readdirSync(dir), [])
    const next = await occupy(dir)
    next.leave()
  }
})

test('of many that start at once at most one has the directory', async () => {
  const dir = directory()
  for (let round = 0; round < 20; round++) {
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => occupy(dir)))
    const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    assert.ok(won.length <= 1, `${won.length}`)
    for (const occupancy of won) occupancy.leave()
  }
  assert.deepEqual(readdirSync(dir), [])
})

/** A table whose leases are kept in a directory of its own, on clocks that the test sets. */
function keptTable(inherited: Partial<Inherited> = {}, files?: Files, options: StoreOptions = {}) {
  const path = join(directory(), 'locks.state')
  const moments = new FakeMoments()
  const clock = new VirtualClock()
  const table = Table.create({ memory: '1mb', ...options }, clock, {
    casFloor: 0n,
    graceMs: 0,
    maxLeaseMs: 600_000,
    ...inherited,
  })
  table.keepLeases(leaseKeeper({ path, leaseMs: 600_000 }, false, moments, files))
  const advance = (ms: number) => {
    clock.advance(ms)
    moments.advance(ms)
  }
  const written = () => decodeState(readFileSync(path, 'latin1')) as StateRecord
  return { table, store: new Store(table), path, moments, advance, written }
}

/** The true files, and word of each time that the state is replaced. */
function counting(count: () => void): Files {
  return {
    ...fs,
    renameSync(from, to) {
      count()
      fs.renameSync(from, to)
    },
  }
}

test('no lease is given before the file covers it', () => {
  const { store, moments, advance, written } = keptTable()
  const ways: ((key: string, ttlMs: number) => void)[] = [
    (key, ttlMs) => {
      store.delete(key)
      store.add(key, 'me', { ttlMs })
    },
    (key, ttlMs) => store.set(key, 'me', { ttlMs }),
    (key, ttlMs) => void store.touch(key, ttlMs),
    (key, ttlMs) => void store.getAndTouch(key, ttlMs),
    (key, ttlMs) => void store.cas(key, 'me', store.gets(key)!.cas, { ttlMs }),
  ]
  store.set(`${LOCK}-endless`, 'no lease')
  for (let round = 0; round < 200; round++) {
    const ttlMs = 1 + ((round * 7919) % 60_000)
    const key = round % 7 === 3 ? `${LOCK}-endless` : LOCK
    if (store.get(key) === undefined) store.set(key, 'before')
    ways[round % ways.length]!(key, ttlMs)
    assert.ok(store.get(key) !== undefined, `round ${round}`)
    const state = written()
    assert.ok(state.wallMs >= moments.wall + ttlMs, `round ${round}`)
    assert.ok(state.boot!.ms >= moments.bootMs + ttlMs)
    assert.ok(state.ceiling > (store.gets(key)?.cas ?? 0n))
    advance((round * 31) % 4000)
  }
  store.close()
})

test('what is no lease waits for no disk', () => {
  const { store, path } = keptTable()
  store.set('plain', 'x', { ttlMs: 1000 })
  store.add(LOCK, 'for ever')
  store.setFenced('data', 'x', 5n, { ttlMs: 1000 })
  store.add(REGISTER, 'x', { ttlMs: 1000 })
  store.touch(REGISTER, 2000)
  assert.ok(!existsSync(path))
  store.close()
})

test('a register is no lease under a pinned prefix either', () => {
  const { store, path } = keptTable({ maxLeaseMs: 500 }, undefined, { pinnedPrefixes: ['latchkey:'] })
  store.add(REGISTER, 'x', { ttlMs: 1000 })
  assert.ok(!existsSync(path))
  store.add(LOCK, 'x', { ttlMs: 500 })
  assert.ok(existsSync(path))
  store.close()
})

test('one write serves the leases of many seconds, and a timer the others', () => {
  let writes = 0
  const files = counting(() => writes++)
  const { table, store, advance } = keptTable({}, files)
  table.keepAhead()
  assert.equal(writes, 1, 'the ceiling')
  for (let second = 0; second < 60; second++) {
    store.set(LOCK, 'x', { ttlMs: 5000 })
    table.keepAhead()
    advance(1000)
  }
  assert.ok(writes >= 6 && writes <= 16, `${writes} writes`)
  advance(60_000)
  table.keepAhead()
  const idle = writes
  for (let minute = 0; minute < 600; minute++) {
    advance(60_000)
    table.keepAhead()
  }
  assert.ok(writes - idle < 30, `${writes - idle} writes in ten idle hours`)
  store.close()
})

test('while the timer runs no request waits', () => {
  let writes = 0
  const files = counting(() => writes++)
  const { table, store, advance } = keptTable({}, files)
  store.set(LOCK, 'x', { ttlMs: 5000 })
  for (let second = 0; second < 60; second++) {
    table.keepAhead()
    advance(1000)
    const before = writes
    store.set(LOCK, 'x', { ttlMs: 5000 })
    assert.equal(writes, before, `second ${second}`)
  }
  store.close()
})

test('a wall clock that is set forward, or a machine that slept, has the horizon written anew', () => {
  const { store, moments, written } = keptTable()
  store.set(LOCK, 'x', { ttlMs: 5000 })
  moments.wall += 3_600_000
  store.set(LOCK, 'x', { ttlMs: 5000 })
  assert.ok(written().wallMs >= moments.wall + 5000)
  moments.wall += 900
  store.set(LOCK, 'x', { ttlMs: 5000 })
  assert.ok(written().wallMs >= moments.wall + 5000, 'small drifts are allowed for')
  store.close()
})

test('and so it is while no lease is given, as long as one that was may run', () => {
  let writes = 0
  const files = counting(() => writes++)
  const { table, store, moments, advance, written } = keptTable({}, files)
  store.set(LOCK, 'x', { ttlMs: 60_000 })
  table.keepAhead()
  moments.wall += 3_600_000
  table.keepAhead()
  assert.ok(written().wallMs >= moments.wall + 60_000)
  advance(100_000)
  table.keepAhead()
  const before = writes
  moments.wall += 3_600_000
  table.keepAhead()
  assert.equal(writes, before, 'none runs any more')
  store.close()
})

test('a state that is deleted while the server runs is written anew, and told of', async () => {
  const dir = directory()
  const path = join(dir, 'locks.state')
  const said: string[] = []
  const server = await serve({ port: 0, threads: 1, memory: '4mb', stateDir: dir, log: (line) => said.push(line) })
  rmSync(path)
  await eventually('it is told', async () => said.some((line) => line.includes('was gone, and is written anew')))
  assert.equal(typeof decodeState(readFileSync(path, 'latin1')), 'object')
  await server.close()
})

test('a server stops also when its directory cannot be written any more', async () => {
  const dir = directory()
  const said: string[] = []
  const server = await serve({ port: 0, threads: 1, memory: '4mb', stateDir: dir, log: (line) => said.push(line) })
  rmSync(dir, { recursive: true })
  writeFileSync(dir, 'no directory')
  await server.close()
  await server.closed
  assert.match(said.join('\n'), /the next start may wait longer/)
})

test('whatever step of the writing fails, nothing is stored, others go on, and it mends', () => {
  const steps = ['openSync', 'writeSync', 'fsyncSync', 'closeSync', 'renameSync'] as const
  for (const step of steps) {
    let broken = false
    const files = { ...fs } as Record<string, unknown>
    files[step] = (...args: unknown[]) => {
      if (broken) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
      return (fs[step] as (...all: unknown[]) => unknown)(...args)
    }
    const { store, path, advance } = keptTable({}, files as unknown as Files)
    store.add(LOCK, 'first', { ttlMs: 1000 })
    const before = readFileSync(path, 'latin1')
    advance(20_000)
    broken = true
    assert.throws(
      () => store.add(LOCK, 'second', { ttlMs: 1000 }),
      (error: Error) => {
        assert.ok(error instanceof StoreStateError)
        assert.equal(error.message, 'lock state cannot be written: ENOSPC: no space left on device')
        return true
      },
    )
    assert.equal(store.get(LOCK), undefined, step)
    store.set('plain', 'x', { ttlMs: 1000 })
    store.add(`${LOCK}-endless`, 'x')
    assert.equal(readFileSync(path, 'latin1'), before, step)
    broken = false
    assert.ok(store.add(LOCK, 'third', { ttlMs: 1000 }))
    store.close()
  }
})

test('while the grace lasts pinned keys are not created; all else works', () => {
  const { store, advance } = keptTable({ graceMs: 5000 })
  const refused = (act: () => unknown) => assert.throws(act, StoreGraceError)
  refused(() => store.add(LOCK, 'x', { ttlMs: 1000 }))
  refused(() => store.add(LOCK, 'x'))
  assert.ok(store.add('plain', 'x'))
  assert.ok(store.add(REGISTER, 'x', { ttlMs: 1000 }))
  assert.equal(store.cas(LOCK, 'x', 7n), 'not-found')
  store.set(LOCK, 'x', { ttlMs: 1000 })
  assert.ok(store.delete(LOCK))
  advance(4999)
  assert.throws(() => store.add(LOCK, 'x'), { message: 'lock grace: 1 ms left' })
  advance(1)
  assert.ok(store.add(LOCK, 'x', { ttlMs: 1000 }))
  store.close()
})

test('a lease is not longer than the longest', () => {
  const { store } = keptTable({ maxLeaseMs: 2000 })
  assert.throws(() => store.add(LOCK, 'x', { ttlMs: 2001 }), StoreLeaseError)
  assert.ok(store.add(LOCK, 'x', { ttlMs: 2000 }))
  assert.throws(() => store.touch(LOCK, 2001), StoreLeaseError)
  assert.ok(store.touch(LOCK, 0))
  store.set('plain', 'x', { ttlMs: 2001 })
  store.set(REGISTER, 'x', { ttlMs: 2001 })
  store.close()
})

test('tokens go on above the ceiling, also when the wall clock was set back', async () => {
  const dir = directory()
  const ceiling = casEpochAt(Date.now() + 86_400_000)
  writeFileSync(join(dir, 'locks.state'), encodeState({ ...sample, ceiling }))
  const state = await LockState.open(dir, 1000, silent)
  const table = Table.create({ memory: '1mb' }, undefined, state.inherited)
  table.keepLeases(leaseKeeper(state.place))
  table.keepAhead()
  const store = new Store(table)
  store.set('k', 'x')
  assert.ok(store.gets('k')!.cas > ceiling)
  assert.ok((decodeState(readFileSync(state.place.path, 'latin1')) as StateRecord).ceiling > store.gets('k')!.cas)
  store.close()
  state.close()
})

test('a shorter --max-lease does not shorten the wait for leases of before', async () => {
  const dir = directory()
  const moments = new FakeMoments()
  writeFileSync(join(dir, 'locks.state'), encodeState({ ...sample, boot: undefined, wallMs: moments.wall + 500_000 }))
  const state = await LockState.open(dir, 1000, silent, moments)
  const table = Table.create({ memory: '1mb' }, undefined, state.inherited)
  table.keepLeases(leaseKeeper(state.place, false, moments))
  table.keepAhead()
  table.close()
  state.close()
  const again = await LockState.open(dir, 1000, silent, moments)
  assert.ok(again.inherited.graceMs > 490_000, `${again.inherited.graceMs}`)
  again.close()
})

test('what is still held at the end is what the next start waits for', () => {
  const { table, store, advance } = keptTable()
  const kept: number[] = []
  advance(1000)
  const keeper: LeaseKeeper = { write: (leaseMs) => kept.push(leaseMs), wallMs: () => 0 }
  store.add(`${LOCK}-endless`, 'x')
  store.set('plain', 'x', { ttlMs: 90_000 })
  store.set(REGISTER, 'x', { ttlMs: 90_000 })
  store.setFenced('data', 'x', 1n)
  table.keepLast(keeper)
  store.add(LOCK, 'x', { ttlMs: 60_000 })
  store.add(`${LOCK}-short`, 'x', { ttlMs: 7000 })
  advance(1000)
  table.keepLast(keeper)
  store.delete(LOCK)
  table.keepLast(keeper)
  advance(6000)
  table.keepLast(keeper)
  assert.deepEqual(kept, [0, 59_000, 6000, 0])
  store.close()
})

test('a thread that died while it wrote does not keep others from writing', () => {
  const { table, store } = keptTable()
  const memory = new Memory(table.handle.memory)
  const [slot, threadId] = [200, 4711]
  memory.control[memory.slotsAt + slot] = threadId + 1
  memory.control[Global.StateLock] = ownerWord(slot)
  table.keepAhead()
  table.recover(threadId)
  assert.equal(memory.control[Global.StateLock], 0)
  assert.ok(store.add(LOCK, 'x', { ttlMs: 1000 }))
  store.close()
})
