/** Tables written to a file and made again from it. */
import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  Bytes,
  casEpochAt,
  Store,
  type StoreHandle,
  StoreImage,
  StoreImageError,
  type StoreOptions,
  Table,
} from 'latchkey/store'
import { Key } from '#dist/store/key.js'
import { Mark, Stripe } from '#dist/store/layout.js'
import { Memory } from '#dist/store/memory.js'
import { chosenSeed } from '../support/seed.js'
import { changeHeader, contentsOf, KEYS, nameOf, restored, Usage } from './images.js'
import { Inspection } from './inspection.js'
import { violations } from './invariants.js'
import { countAtomics } from './mortal-memory.js'
import { MORTAL_THREAD_ID, MortalThread } from './mortal-thread.js'
import { Random } from './random.js'
import { VirtualClock } from './virtual-clock.js'

const root = mkdtempSync(join(tmpdir(), 'latchkey-image-'))
after(() => rmSync(root, { recursive: true, force: true }))
let files = 0
const newPath = () => join(root, `image-${files++}`)

/** A table that was in use for a while, on a full memory, written to a file and closed. */
async function madeImage(seed: number, options: StoreOptions = { memory: '4mb' }, steps = 6000) {
  const clock = new VirtualClock()
  const table = Table.create(options, clock)
  new Usage(table, new Random(seed), clock).go(steps)
  const path = newPath()
  const { items } = await table.saveImage(path, () => `note ${seed}`)
  const contents = contentsOf(table)
  const stats = table.stats()
  table.close()
  return { clock, contents, stats, items, path, handle: table.handle }
}

test('everything is there again, sound, and in use as before', async (t) => {
  const seed = chosenSeed()
  t.diagnostic(`seed ${seed}`)
  const memories: StoreOptions[] = [
    { memory: '4mb' },
    { memory: '9mb', threads: 64 },
    { memory: '4mb' },
    { memory: '300mb', threads: 1 },
    { memory: '4mb' },
  ]
  for (const [round, options] of memories.entries()) {
    const { clock, contents, stats, items, path, handle } = await madeImage(seed + round)
    assert.ok(stats.evictions > 100 && stats.pinnedItems > 10, 'the memory was full')
    assert.deepEqual(violations(handle), [])
    const table = await restored(path, clock, { options })
    assert.deepEqual(contentsOf(table), contents)
    assert.deepEqual(violations(table.handle), [])
    const again = table.stats()
    for (const name of [
      'currItems',
      'bytes',
      'pinnedItems',
      'pinnedBytes',
      'smallQueueBytes',
      'mainQueueBytes',
    ] as const)
      assert.equal(again[name], stats[name], name)
    assert.equal(items, stats.currItems)
    for (const name of ['evictions', 'totalItems', 'cmdGet'] as const) assert.equal(again[name], 0, name)
    // It evicts, splits, sweeps and flushes on.
    new Usage(table, new Random(seed), clock).go(2000)
    table.sweep()
    assert.deepEqual(violations(table.handle), [])
    if (options.memory === '4mb') assert.ok(table.stats().evictions > 100)
    table.flush()
    assert.deepEqual(violations(table.handle), [])
    table.close()
  }
})

test('what was evicted is remembered', async () => {
  const { path, clock, handle } = await madeImage(7)
  const ghosts = (of: StoreHandle) => {
    const { index, memory } = new Inspection(of)
    const key = new Key(of.seed, memory.stripes)
    return Array.from({ length: KEYS }, (_, number) => nameOf(number)).filter((name) => {
      key.setBytes(new Bytes(Buffer.from(name)), 0, name.length)
      return index.hasGhostLocked(key)
    })
  }
  const table = await restored(path, clock)
  assert.ok(ghosts(handle).length > 20)
  assert.deepEqual(ghosts(table.handle), ghosts(handle))
  table.close()
})

test('less memory is enough when what is in use fits, and else is refused with figures', async () => {
  const clock = new VirtualClock()
  const big = new Store(Table.create({ memory: '64mb' }, clock))
  for (let i = 0; i < 200; i++) big.set(`key ${i}`, 'x'.repeat(5000))
  const table = Table.attach(big.handle, clock)
  big.close()
  const path = newPath()
  await table.saveImage(path, () => '')
  const small = await restored(path, clock, { options: { memory: '3mb' } })
  assert.deepEqual(contentsOf(small), contentsOf(table))
  assert.deepEqual(violations(small.handle), [])
  await assert.rejects(restored(path, clock, { options: { memory: '1mb' } }), {
    code: 'STORE_IMAGE',
    message: /^it takes \d+ MiB, and there are 1$/,
  })
  small.close()
  table.close()
})

test('values of many pages, and more than a buffer full of pages, come back', async () => {
  const clock = new VirtualClock()
  const options = { memory: '24mb', itemMax: '9mb' }
  const table = Table.create(options, clock)
  const store = new Store(table)
  for (const [i, length] of [8_000_000, 5_000_000, 100_000, 33_000, 4096, 0].entries())
    store.set(`key ${i}`, Buffer.alloc(length, `value ${i}`))
  const path = newPath()
  const done: number[] = []
  const { bytes } = await table.saveImage(
    path,
    () => '',
    (now, total) => done.push(now / total),
  )
  assert.equal(statSync(path).size, bytes)
  assert.ok(done.length > 3 && done.at(-1) === 1 && done.every((share, i) => i === 0 || share > done[i - 1]!))
  const again = await restored(path, clock, { options })
  assert.deepEqual(contentsOf(again), contentsOf(table))
  assert.deepEqual(violations(again.handle), [])
  again.close()
  table.close()
})

test('time while stopped counts, and cannot count backwards', async () => {
  const clock = new VirtualClock()
  const table = Table.create({ memory: '2mb' }, clock)
  const store = new Store(table)
  clock.advance(5000)
  table.tick()
  store.set('short', 'x', { ttlMs: 10_000 })
  store.set('long', 'x', { ttlMs: 60_000 })
  store.set('endless', 'x')
  clock.advance(2000)
  table.tick()
  const path = newPath()
  await table.saveImage(path, () => '')
  table.close()
  const ttls = async (stoppedMs: number) => {
    const again = await restored(path, new VirtualClock(), { options: { memory: '2mb' }, stoppedMs })
    const reading = new Store(again)
    const left = ['short', 'long', 'endless'].map((key) => reading.gets(key)?.ttlMs)
    again.sweep()
    assert.equal(again.stats().currItems, left.filter((ms) => ms !== undefined).length)
    assert.deepEqual(violations(again.handle), [])
    again.close()
    return left
  }
  assert.deepEqual(await ttls(0), [8000, 58_000, -1])
  assert.deepEqual(await ttls(7999), [1, 50_001, -1])
  assert.deepEqual(await ttls(8000), [undefined, 50_000, -1])
  assert.deepEqual(await ttls(3_000_000_000), [undefined, undefined, -1])
  assert.deepEqual(await ttls(-86_400_000), [8000, 58_000, -1], 'no more than there was left')
})

test('a flush that was still to come comes, and one that has been is over', async () => {
  const clock = new VirtualClock()
  const table = Table.create({ memory: '2mb' }, clock)
  const store = new Store(table)
  store.set('flushed', 'x')
  table.flush(1000)
  clock.advance(1500)
  store.set('after', 'x')
  const first = newPath()
  await table.saveImage(first, () => '')
  table.flush(60_000)
  const second = newPath()
  await table.saveImage(second, () => '')
  table.close()
  const keys = async (path: string, stoppedMs: number, runMs: number) => {
    const own = new VirtualClock()
    const again = await restored(path, own, { options: { memory: '2mb' }, stoppedMs })
    own.advance(runMs)
    again.tick()
    const reading = new Store(again)
    const found = ['flushed', 'after'].filter((key) => reading.get(key) !== undefined)
    again.close()
    return found
  }
  assert.deepEqual(await keys(first, 1e9, 1e9), ['after'])
  assert.deepEqual(await keys(second, 59_000, 500), ['after'])
  assert.deepEqual(await keys(second, 59_000, 1500), [])
  assert.deepEqual(await keys(second, 61_000, 0), [])
})

test('tokens go on above all that were given, here or elsewhere, and items keep theirs', async () => {
  const clock = new VirtualClock()
  const options = { memory: '2mb' }
  let table = Table.create(options, clock)
  const seen = new Map<string, bigint>()
  const given = new Set<bigint>()
  const use = (of: Table) => {
    const store = new Store(of)
    for (let i = 0; i < 60; i++) {
      const key = `key ${i % 20}`
      if (i % 7 === 0) store.delete(key)
      store.set(key, String(i))
      const { cas } = store.gets(key)!
      assert.ok(cas > (seen.get(key) ?? 0n), `${key}: ${cas} after ${seen.get(key)}`)
      assert.ok(!given.has(cas), `${cas} was given before`)
      seen.set(key, cas)
      given.add(cas)
    }
  }
  for (let restart = 0; restart < 10; restart++) {
    use(table)
    const path = newPath()
    await table.saveImage(path, () => '')
    const before = contentsOf(table)
    table.close()
    if (restart === 4) {
      // A server without the file, in between; and then the wall clock is set back.
      const other = Table.create(options, clock, {
        casFloor: casEpochAt(Date.now() + 1e9),
        graceMs: 0,
        maxLeaseMs: 1e9,
      })
      use(other)
      other.close()
    }
    const casFloor = restart === 4 ? casEpochAt(Date.now() + 2e9) : undefined
    clock.advance(50)
    table = await restored(path, clock, { options, ...(casFloor && { casFloor }) })
    if (casFloor === undefined) assert.deepEqual([...contentsOf(table).keys()], [...before.keys()])
    const tokens = (contents: Map<string, string>) =>
      [...contents].map(([key, facts]) => [key, /"cas":"(\d+)"/.exec(facts)![1]])
    assert.deepEqual(tokens(contentsOf(table)), tokens(before))
  }
  use(table)
  assert.deepEqual(violations(table.handle), [])
  // Starts in which nothing is given leave no trace.
  const eras = table.handle.casEras.length
  for (let restart = 0; restart < 3; restart++) {
    const path = newPath()
    await table.saveImage(path, () => '')
    table.close()
    table = await restored(path, clock, { options })
  }
  assert.equal(table.handle.casEras.length, eras + 1)
  table.close()
})

test('tokens are no further ahead of the clock than one life was, however many restarts there are', async () => {
  const clock = new VirtualClock()
  const options = { memory: '1mb' }
  let table = Table.create(options, clock)
  const lifeMs = 10 * 86_400_000
  clock.advance(lifeMs)
  for (let restart = 0; restart < 4; restart++) {
    table.tick()
    const store = new Store(table)
    store.set('key', 'x')
    assert.ok(store.gets('key')!.cas < casEpochAt(Date.now() + lifeMs + 3_600_000))
    const path = newPath()
    await table.saveImage(path, () => '')
    table.close()
    table = await restored(path, clock, { options })
  }
  table.close()
})

test('registers of fences go on refusing', async () => {
  const clock = new VirtualClock()
  const table = Table.create({ memory: '2mb' }, clock)
  const store = new Store(table)
  for (let i = 0; i < 30; i++) assert.ok(store.setFenced(`doc ${i}`, 'x', BigInt(1000 + i)))
  const path = newPath()
  await table.saveImage(path, () => '')
  table.close()
  const again = await restored(path, clock, { options: { memory: '5mb' } })
  const after = new Store(again)
  for (let i = 0; i < 30; i++) {
    assert.ok(!after.setFenced(`doc ${i}`, 'y', BigInt(999 + i)))
    assert.ok(after.setFenced(`doc ${i}`, 'y', BigInt(1000 + i)))
  }
  again.close()
})

test('what a broken-off change left is repaired before, and repairs work on what was brought back', async () => {
  const uncount = countAtomics()
  const { clock, path } = await madeImage(11)
  const table = await restored(path, clock)
  for (let end = 1; end < 60; end += 3) {
    const mortal = new MortalThread(table.handle, clock)
    const { died } = mortal.live(end, (thread) => thread.write(`key:${end}`, 'v'.repeat(2000)))
    if (died)
      await assert.rejects(
        table.saveImage(newPath(), () => ''),
        /other threads/,
      )
    table.recover(MORTAL_THREAD_ID)
    assert.deepEqual(violations(table.handle), [], `died at write ${end}`)
  }
  const memory = new Memory(table.handle.memory)
  for (let stripe = 0; stripe < memory.stripes; stripe++)
    memory.control[memory.stripeAt(stripe) + Stripe.Marks]! |= Mark.Damaged
  const second = newPath()
  await table.saveImage(second, () => '')
  const again = await restored(second, clock)
  assert.deepEqual(violations(again.handle), [])
  assert.ok(table.stats().repairs >= memory.stripes)
  again.close()
  table.close()
  uncount()
})

test('with other threads there is no image', async () => {
  const table = Table.create({ memory: '2mb' })
  const other = Table.attach(table.handle)
  const path = newPath()
  await assert.rejects(
    table.saveImage(path, () => ''),
    { code: 'STORE_IMAGE', message: 'other threads use the table' },
  )
  assert.equal(existsSync(path), false)
  other.close()
  await table.saveImage(path, () => '')
  table.close()
})

/** What opening or reading the file is refused with. */
async function refusal(path: string, options: StoreOptions = { memory: '1mb' }): Promise<string> {
  try {
    const table = await restored(path, new VirtualClock(), { options })
    table.close()
    return 'none'
  } catch (error) {
    assert.ok(error instanceof StoreImageError, String(error))
    return error.message
  }
}

test('a file that is cut short, or has any bit changed, is refused', async () => {
  const { path } = await madeImage(3, { memory: '1mb' }, 60)
  assert.equal(await refusal(path), 'none')
  const whole = readFileSync(path)
  const bad = newPath()
  const step = Math.floor(whole.length / 150)
  const length = whole.readUInt32LE(20)
  for (let at = 0; at < whole.length; at += at < 24 + length + 8 ? 1 : step) {
    const changed = Buffer.from(whole)
    changed[at]! ^= 1 << (at & 7)
    writeFileSync(bad, changed)
    assert.match(await refusal(bad), /^it is (damaged|no image|of version|cut short)/, `byte ${at}`)
  }
  for (let size = whole.length - 1; size >= 0; size -= size > 100 ? step : 1) {
    writeFileSync(bad, whole)
    truncateSync(bad, size)
    assert.match(await refusal(bad), size === 0 ? /^it is empty$/ : /^it is (cut short|no image)/, `${size} bytes`)
  }
  writeFileSync(bad, Buffer.concat([whole, Buffer.from('x')]))
  assert.match(await refusal(bad), /^it is damaged: \d+ bytes, where \d+ belong$/)
})

test('what is not ours is told apart from what is of another version, machine or layout', async () => {
  const { path } = await madeImage(5, { memory: '1mb' }, 60)
  const whole = readFileSync(path)
  const bad = newPath()
  const refusedWith = async (make: (file: Buffer) => void, words: RegExp) => {
    const copy = Buffer.from(whole)
    make(copy)
    writeFileSync(bad, copy)
    assert.match(await refusal(bad), words)
  }
  await refusedWith((file) => file.write('hello'), /^it is no image of latchkey$/)
  await refusedWith((file) => file.writeUInt32LE(2, 16), /^it is of version 2, and this program knows version 1$/)
  const changedTo = async (change: Parameters<typeof changeHeader>[1]) => {
    writeFileSync(bad, whole)
    changeHeader(bad, change)
    return refusal(bad)
  }
  assert.equal(await changedTo({}), 'none')
  assert.match(await changedTo({ byteOrder: 'BE' }), /another byte order/)
  assert.match(await changedTo({ layout: 1 }), /lays memory out otherwise/)
  assert.match(await changedTo({ seed: 1 }), /lays memory out otherwise/, 'hashes lead elsewhere')
  const prefixes = { memory: '1mb', pinnedPrefixes: ['latchkey:lock:', 'mine:'] }
  writeFileSync(bad, whole)
  assert.match(await refusal(bad, prefixes), /^its pinned prefixes are other ones: latchkey:lock:, and here /)
})

test('figures of a header that cannot be are refused before any memory is taken for them', async () => {
  const { path } = await madeImage(3)
  const whole = readFileSync(path)
  const changes = [
    { stripes: 2 ** 30 },
    { stripes: 3 },
    { pageShift: 21 },
    { depth: 31 },
    { lastSequence: -1 },
    { eras: [] },
    { latestLeaseMs: undefined as never },
  ]
  for (const change of changes) {
    writeFileSync(path, whole)
    changeHeader(path, change)
    await assert.rejects(StoreImage.open(path), { code: 'STORE_IMAGE' }, JSON.stringify(change))
  }
})

test('what lies in wait where it is written is not written into', async () => {
  const clock = new VirtualClock()
  const table = Table.create({ memory: '2mb' }, clock)
  const path = newPath()
  const others = newPath()
  writeFileSync(others, 'of somebody else')
  symlinkSync(others, `${path}.new`)
  await table.saveImage(path, () => '')
  assert.equal(readFileSync(others, 'utf8'), 'of somebody else')
  assert.equal(lstatSync(path).isFile(), true)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  table.close()
})

test('the note is of a moment when the time of the table stands still', async () => {
  const clock = new VirtualClock()
  const table = Table.create({ memory: '2mb' }, clock)
  new Store(table).set('k', 'x', { ttlMs: 10_000 })
  const path = newPath()
  clock.advance(1000)
  // Time that passes before anybody looks at the clock must not be counted by the table, and as part of the stop again.
  let notedAtMs = 0
  await table.saveImage(path, () => {
    notedAtMs = clock.now()
    clock.advance(5000)
    return ''
  })
  const image = await StoreImage.open(path)
  assert.ok(image.header.nowMs + table.handle.originMs <= notedAtMs)
  await image.close()
  table.close()
})

test('when it cannot be written, what was there stays, and nothing else is left', async () => {
  const table = Table.create({ memory: '2mb' })
  const store = new Store(table)
  for (let i = 0; i < 300; i++) store.set(`key ${i}`, 'x'.repeat(3000))
  const dir = mkdtempSync(join(root, 'full-'))
  const path = join(dir, 'image')
  writeFileSync(path, 'what was there')
  for (const good of [0, 1, 2, 3]) {
    const full = async (name: string, flags: string, mode?: number) => failingAfter(good, await open(name, flags, mode))
    await assert.rejects(
      table.saveImage(path, () => '', undefined, full),
      { code: good < 3 ? 'ENOSPC' : 'EIO' },
    )
    assert.equal(readFileSync(path, 'utf8'), 'what was there')
    assert.deepEqual(readdirSync(dir), ['image'])
  }
  await table.saveImage(path, () => 'the note')
  const image = await StoreImage.open(path)
  assert.equal(image.header.note, 'the note')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  await image.close()
  table.close()
})

/** A file on a disk that is full after so many writes, and cannot be synced. */
function failingAfter(good: number, file: FileHandle): FileHandle {
  let writes = 0
  const fault = (code: string) => Object.assign(new Error(code), { code })
  return new Proxy(file, {
    get(target, name) {
      if (name === 'write' && writes++ >= good) return () => Promise.reject(fault('ENOSPC'))
      if (name === 'sync') return () => Promise.reject(fault('EIO'))
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
