/** A read-write lock in virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LockArgumentError, LockBusyError, LockLostError, LockUnavailableError } from 'latchkey/locks'
import { type Model, model } from '../support/model.js'
import type { VirtualTime } from '../support/virtual-time.js'
import { processes } from './processes.js'

const PREFIX = 'latchkey:lock:'
const GATE = `${PREFIX}doc/write`
const slotKey = (slot: number) => `${PREFIX}doc/read/${slot}`

const lockOf = ({ locks }: Model, readers = 4) => locks.readWrite('doc', { readers })
const passes = (time: VirtualTime, ms: number) => new Promise<void>((resolve) => time.timer(ms, () => resolve()))

test('many read at a time, or one writes', async () => {
  const [m, other] = processes(2)
  const { time } = m
  const reads = [await time.settled(lockOf(m).read()), await time.settled(lockOf(other).read())]
  await assert.rejects(
    time.settled(lockOf(m).write()),
    (error) => error instanceof LockBusyError && error.lock === 'doc',
  )
  assert.equal(await time.settled(lockOf(other).tryWrite()), undefined)
  for (const read of reads) await time.settled(read.release())
  const write = await time.settled(lockOf(m).write())
  assert.equal(write.name, 'doc')
  for (const each of [m, other]) {
    assert.equal(await time.settled(lockOf(each).tryRead()), undefined)
    assert.equal(await time.settled(lockOf(each).tryWrite()), undefined)
  }
  const { holders, gate } = await time.settled(lockOf(other).inspect())
  assert.equal(holders.length, 4)
  assert.equal(gate?.owner, write.locks[0].owner)
  assert.equal(await time.settled(write.release()), 'released')
  assert.deepEqual(m.server.keys(), [])
})

test('as many read as there may be readers, 16 unless told otherwise', async () => {
  const m = model()
  const reads = await m.time.settled(
    Promise.all(Array.from({ length: 16 }, () => m.locks.readWrite('doc').read({ wait: '1m' }))),
  )
  assert.equal(new Set(reads.map(({ name }) => name)).size, 16)
  assert.equal(await m.time.settled(m.locks.readWrite('doc').tryRead()), undefined)
})

test('a writer is let in after those who read, and before those who come later', async () => {
  for (const queues of [true, false]) {
    const all = processes(3, { queues })
    const [a, b, c] = all
    const { time } = a
    const early = await time.settled(lockOf(a).read())
    const order: string[] = []
    const write = lockOf(b)
      .write({ wait: '1h' })
      .then((lock) => {
        order.push('write')
        return lock
      })
    await time.advance(100)
    const late = lockOf(c)
      .read({ wait: '1h' })
      .then((lock) => {
        order.push('read')
        return lock
      })
    await time.advance(1000)
    assert.deepEqual(order, [])
    void early.release()
    const writing = await time.settled(write)
    await time.advance(2000)
    assert.deepEqual(order, ['write'])
    void writing.release()
    void (await time.settled(late)).release()
    await time.advance(100)
    assert.deepEqual(a.server.keys(), [])
  }
})

test('a stream of readers, of which there is always one, does not keep a writer out', async () => {
  for (const queues of [true, false]) {
    const all = processes(5, { queues })
    const [{ time }, ...readers] = all
    let stopped = false
    let readersNow = 0
    const reading = readers.map(async (m, i) => {
      await passes(time, i * 30)
      while (!stopped) {
        await using _ = await lockOf(m).read({ wait: '1h' })
        readersNow++
        await passes(time, 100)
        readersNow--
      }
    })
    await time.advance(500)
    for (let round = 0; round < 5; round++) {
      const startedAt = time.now()
      const write = await time.settled(lockOf(all[0]).write({ wait: '1h' }))
      assert.equal(readersNow, 0)
      assert.ok(time.now() - startedAt < 5000, `${time.now() - startedAt} ms`)
      await time.settled(write.release())
    }
    stopped = true
    await time.settled(Promise.all(reading))
  }
})

test('the fence of a writer is greater than that of every earlier one; a reader has none', async () => {
  const m = model()
  let last = 0n
  for (let i = 0; i < 3; i++) {
    await using write = await m.time.settled(lockOf(m).write())
    assert.ok(write.fence > last)
    last = write.fence
    assert.equal(m.server.get(GATE)?.fence, last)
    assert.deepEqual([...write.fences], [['doc', last]])
    const releasing = write.release()
    await m.time.settled(releasing)
  }
  const read = await m.time.settled(lockOf(m).read())
  assert.throws(
    () => read.fence,
    (error: Error) => error instanceof LockArgumentError && /reads are not ordered/.test(error.message),
  )
  await assert.rejects(lockOf(m).read({ guarantee: 'fenced' }), /a read lock has no fence/)
  await m.time.settled(read.release())
  const write = await m.time.settled(lockOf(m).write({ guarantee: 'lease' }))
  assert.throws(() => write.fence, /guarantee lease/)
})

test('a writer that loses the gate before the last reader has gone does not write with the fence of before', async () => {
  for (const queues of [true, false]) {
    const all = processes(3, { queues })
    const [a, b, c] = all
    const { time, server } = a
    const read = await time.settled(lockOf(a).read())
    const fences: bigint[] = []
    const writing = [b, c].map(async (m, i) => {
      await passes(time, i * 500)
      const write = await lockOf(m).write({ wait: '1h', ttl: '5s' })
      fences.push(write.fence)
      await passes(time, 50)
      write.assertHeld()
      await write.release()
    })
    await time.advance(400)
    const first = server.get(GATE)!
    server.remove(GATE, first.version)
    await time.advance(20_000)
    void read.release()
    await time.settled(Promise.all(writing))
    assert.equal(fences.length, 2)
    assert.ok(fences[1] > fences[0] && fences[0] > first.fence, `${fences} after ${first.fence}`)
  }
})

test('a writer loses its lock when it loses any part of it', async () => {
  for (const key of [GATE, slotKey(0), slotKey(3)]) {
    const m = model()
    const write = await m.time.settled(lockOf(m).write({ ttl: '3s' }))
    m.server.remove(key, m.server.get(key)!.version)
    await m.time.advance(1500)
    assert.ok(write.signal.reason instanceof LockLostError)
    assert.throws(() => write.assertHeld(), LockLostError)
    await m.time.settled(write.release())
    assert.deepEqual(m.server.keys(), [])
  }
})

test('what a writer has is kept while it waits for readers, also if it is not renewed later', async () => {
  const m = model({ queues: true })
  m.server.add(slotKey(2), { owner: 'reader' }, 60_000)
  const write = await m.time.settled(lockOf(m).write({ ttl: '3s', wait: '1h', renew: false }))
  assert.ok(m.time.now() >= 60_000)
  assert.ok(write.remainingMs() >= 1000)
  await m.time.advance(3100)
  assert.equal(write.state, 'lost')
  assert.deepEqual(m.server.keys(), [])
})

test('as much of the lease is left as minRemaining wants, also after a long wait', async () => {
  const m = model({ queues: true })
  m.server.add(slotKey(2), { owner: 'reader' }, 65_000)
  const write = await m.time.settled(lockOf(m).write({ ttl: '30s', minRemaining: '29s', wait: '1h' }))
  assert.ok(write.remainingMs() >= 29_000, `${write.remainingMs()}`)
  const inGate = m.server.deeds.filter(({ key, what }) => key === GATE && what === 'add')
  assert.equal(inGate.length, 1, 'without beginning again')
})

test('a writer that gives up leaves nothing, and lets those in who came after it', async () => {
  const all = processes(2, { queues: true })
  const [m, other] = all
  m.server.add(slotKey(1), { owner: 'reader' }, 60_000)
  const controller = new AbortController()
  const write = lockOf(m).write({ wait: '1h', signal: controller.signal })
  await m.time.advance(1000)
  const read = lockOf(other).read({ wait: '1h' })
  await m.time.advance(1000)
  controller.abort(new Error('enough'))
  await assert.rejects(m.time.settled(write), /enough/)
  await m.time.settled(read)
  await m.time.advance(100)
  assert.equal(m.server.get(GATE), undefined)
  assert.equal(m.server.keys().length, 2)
})

test('a semaphore of the same name is another thing', async () => {
  const m = model()
  await m.time.settled(lockOf(m).write())
  assert.ok(await m.time.settled(m.locks.semaphore('doc', { permits: 1 }).tryAcquire()))
})

test('usingRead and usingWrite release what they have used', async () => {
  const m = model()
  const lock = lockOf(m)
  assert.equal(await m.time.settled(lock.usingRead((read) => read.name.slice(0, 9))), 'doc/read/')
  assert.equal(await m.time.settled(lock.usingWrite({ wait: '1s' }, (write) => write.name)), 'doc')
  assert.deepEqual(m.server.keys(), [])
  await assert.rejects(lock.usingWrite({} as never), /function/)
})

test('a server that cannot be asked is told of, under the name of the lock', async () => {
  const m = model({ fates: () => ({ loss: 'refused' }) })
  const lock = lockOf(m)
  for (const acquiring of [lock.read(), lock.write(), lock.read({ wait: 500 }), lock.write({ wait: 500 })]) {
    await assert.rejects(
      m.time.settled<unknown>(acquiring),
      (error) => error instanceof LockUnavailableError && error.lock === 'doc',
    )
  }
})
