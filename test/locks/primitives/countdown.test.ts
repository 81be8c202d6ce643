/** Countdowns: each arrival counts once, and those who wait go on when all are there. In virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ArrivalTimeoutError,
  createLocks,
  LockAmbiguousError,
  LockArgumentError,
  LockUnavailableError,
  quorum,
} from 'latchkey/locks'
import { Random } from '../../store/random.js'
import { chosenSeed } from '../../support/seed.js'
import { model } from '../support/model.js'
import type { Fate } from '../support/model-driver.js'
import { ModelServer } from '../support/model-server.js'
import { VirtualTime } from '../support/virtual-time.js'
import { cutOff, machines, reconnect } from './machines.js'

const KEY = 'latchkey:lock:countdown:ready'
const SCHEDULES = 100

test('those who wait go on when all have arrived, and so do those who come later', async () => {
  const { time, machines: all } = machines({}, {})
  const [mine, others] = all.map(({ locks }) => locks.countdown('ready', { count: 3 }))
  const waiting = mine.wait()
  assert.equal(await time.settled(mine.remaining()), 3)
  assert.equal(await time.settled(others.arrive()), 2)
  assert.equal(await time.settled(others.arrive()), 1)
  assert.equal(await time.within(waiting, 10_000), false)
  assert.equal(await time.settled(others.arrive()), 0)
  await time.settled(waiting)
  await time.settled(others.wait({ wait: 0 }))
  assert.equal(await time.settled(others.arrive()), 0)
  assert.equal(await time.settled(mine.remaining()), 0)
})

test('one id counts once', async () => {
  const { time, machines: all } = machines({}, {})
  for (const { locks } of [...all, ...all]) {
    assert.equal(await time.settled(locks.countdown('ready', { count: 2 }).arrive('a')), 1)
  }
  assert.equal(await time.settled(all[0].locks.countdown('ready', { count: 2 }).arrive('b')), 0)
})

test('a lost reply is looked up: it counts once', async () => {
  for (const loss of ['request', 'reply', 'drop'] as const) {
    const { time, machines: all } = machines({}, {})
    all[0].driver.fates = (kind, nth) => (kind === 'swap' && nth === 1 ? { loss } : undefined)
    const [mine, others] = all.map(({ locks }) => locks.countdown('ready', { count: 3 }))
    assert.equal(await time.settled(mine.arrive()), 2)
    assert.equal(await time.settled(others.arrive()), 1)
  }
})

test('who cannot know whether it counted says so, and arrives again under its id', async () => {
  const { time, machines: all } = machines({})
  const countdown = all[0].locks.countdown('ready', { count: 2 })
  all[0].driver.fates = (kind, nth) => (kind === 'swap' || (kind === 'read' && nth > 1) ? { loss: 'reply' } : undefined)
  await assert.rejects(time.settled(countdown.arrive('a')), LockAmbiguousError)
  reconnect(all[0])
  assert.equal(await time.settled(countdown.arrive('a')), 1)
  all[0].driver.fates = () => ({ loss: 'refused' })
  await assert.rejects(time.settled(countdown.arrive('b')), LockUnavailableError)
})

test('patience, signals and servers that are away', async () => {
  const { time, machines: all } = machines({}, {})
  const [mine, others] = all.map(({ locks }) => locks.countdown('ready', { count: 2 }))
  const late = await time.settled(mine.wait({ wait: '2s' }).catch((error) => error))
  assert.ok(late instanceof ArrivalTimeoutError)
  assert.equal(late.missing, 2)
  const giveUp = new AbortController()
  const aborted = mine.wait({ signal: giveUp.signal })
  await time.advance(1000)
  giveUp.abort(new Error('enough'))
  await assert.rejects(time.settled(aborted), /enough/)
  cutOff(all[0])
  await assert.rejects(time.settled(mine.wait({ wait: '2s' })), LockUnavailableError)
  const patient = mine.wait()
  await time.advance(60_000)
  reconnect(all[0])
  await time.settled(others.arrive())
  await time.settled(others.arrive())
  await time.settled(patient)
  const closing = all[1].locks.countdown('never', { count: 1 }).wait()
  closing.catch(() => {})
  await time.advance(1000)
  await time.settled(all[1].locks.close())
  await assert.rejects(closing, LockUnavailableError)
})

test('three hundred have room', async () => {
  const { time, server, machines: all } = machines({})
  const countdown = all[0].locks.countdown('ready', { count: 300 })
  for (let i = 0; i < 299; i++) await time.settled(countdown.arrive())
  assert.ok(Buffer.byteLength(server.register(KEY)!.value) <= 4096)
  assert.equal(await time.settled(countdown.arrive()), 0)
})

test('input that is none, another count, and what is no countdown, are refused', async () => {
  const { time, server, machines: all } = machines({})
  const { locks } = all[0]
  assert.throws(() => locks.countdown('ready', { count: 0 }), /count is a whole number from 1 to 300/)
  assert.throws(() => locks.countdown('ready', { count: 2, ttl: '31d' }), /ttl/)
  assert.throws(() => locks.countdown('ready', { count: 2, tl: '1d' } as never), /no option tl/)
  await assert.rejects(locks.countdown('ready', { count: 2 }).arrive(''), /not empty/)
  await assert.rejects(locks.countdown('ready', { count: 2 }).wait({ wait: 'long' }), /wait is a span/)
  assert.equal(server.register(KEY), undefined)
  await time.settled(locks.countdown('ready', { count: 3 }).arrive())
  const refused = (error: unknown) => error instanceof LockArgumentError && /counts to 3 for others/.test(error.message)
  await assert.rejects(time.settled(locks.countdown('ready', { count: 2 }).arrive()), refused)
  await assert.rejects(time.settled(locks.countdown('ready', { count: 2 }).wait()), refused)
  server.forgetRegister(KEY)
  server.swapRegister(KEY, 'mine', undefined)
  await assert.rejects(time.settled(locks.countdown('ready', { count: 3 }).remaining()), LockUnavailableError)
  await using none = createLocks(quorum({ servers: ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3'] }))
  assert.throws(() => none.countdown('ready', { count: 2 }), /driver quorum has none/)
})

test('in a storm of losses and delays nobody counts twice, and nobody who was told so is left out', async () => {
  const seed = chosenSeed()
  for (let i = 0; i < SCHEDULES; i++) {
    const random = new Random(seed + i)
    const time = new VirtualTime()
    const server = new ModelServer(time)
    const badness = random.pick([0, 10, 30])
    const fates = (): Fate => {
      const loss =
        random.below(100) < badness ? random.pick(['request', 'reply', 'drop', 'refused'] as const) : undefined
      const delay = () => (random.below(100) < badness / 3 ? random.below(3000) : 1 + random.below(20))
      return { requestMs: delay(), replyMs: delay(), loss }
    }
    // One more than there are, so that it never ends and every mark can be counted.
    const parties = 1 + random.below(8)
    const all = Array.from({ length: parties }, (_, j) =>
      model({ time, server, fates, seed: seed + j, locks: { deadlineMs: 300 } }),
    )
    const arrive = async ({ locks }: (typeof all)[number]) => {
      for (;;) {
        try {
          return await locks.countdown('ready', { count: parties + 1 }).arrive(locks === all[0].locks ? 'a' : undefined)
        } catch (error) {
          assert.ok(error instanceof LockUnavailableError || error instanceof LockAmbiguousError)
          // Only by its id can it arrive again.
          if (locks !== all[0].locks && error instanceof LockAmbiguousError) return undefined
        }
      }
    }
    const left = await time.settled(Promise.all(all.map(arrive)))
    await time.advance(10_000)
    const counted = JSON.parse(server.register(KEY)!.value).arrived.length / 10
    const told = left.filter((missing) => missing !== undefined).length
    assert.ok(counted >= told && counted <= parties, `${counted} of ${parties}, ${told} told so`)
    assert.ok(left.every((missing) => missing === undefined || missing >= parties + 1 - counted))
  }
})
