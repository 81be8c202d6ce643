/** Standing for election, in virtual time. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import {
  type Leader,
  type LeadershipEndedError,
  LockArgumentError,
  LockLostError,
  LockUnavailableError,
} from 'latchkey/locks'
import { model } from '../support/model.js'
import type { Step } from '../support/model-driver.js'
import { KEY, standing, type Watched } from './candidates.js'

const never = () => new Promise<never>(() => {})

/** Others on the same server, one after the other. */
function three(options: Parameters<typeof standing>[0] = {}, queues = true): Watched[] {
  const first = standing(options, { queues })
  const { time, server } = first
  return [
    first,
    standing(options, { time, server, queues, seed: 2 }),
    standing(options, { time, server, queues, seed: 3 }),
  ]
}

const leadersOf = (all: readonly Watched[]) => all.filter(({ candidate }) => candidate.isLeader)

for (const queues of [true, false]) {
  test(`of three one leads; who resigns is followed by another, with a greater fence${queues ? '' : ', without queues'}`, async () => {
    const all = three({}, queues)
    const { time, server } = all[0]
    let fence = 0n
    for (let term = 0; term < 30; term++) {
      await time.advance(600)
      const [leader, ...others] = leadersOf(all)
      assert.equal(others.length, 0)
      assert.ok(leader.candidate.leader!.fence > fence)
      assert.equal(server.get(KEY)?.holder.owner, leader.candidate.leader!.owner)
      fence = leader.candidate.leader!.fence
      assert.equal(leader.candidate.resign(), true)
      assert.equal(leader.candidate.resign(), false)
      await time.advance(600)
      assert.notEqual(leadersOf(all)[0], leader, 'whoever has resigned comes after the others')
    }
  })
}

test('a term ends with the signal, then onLost, then the release; and only once', async () => {
  const order: string[] = []
  const { time, server, candidate, told } = standing({
    onElected: ({ signal }) => signal.addEventListener('abort', () => order.push('signal')),
    onLost: async (reason, leader) => {
      order.push(`onLost ${reason === leader.signal.reason} ${server.get(KEY)?.holder.owner === leader.owner}`)
      leader.assertHeld()
    },
  })
  await time.advance(100)
  const { deeds } = server
  candidate.resign()
  candidate.resign()
  await time.advance(10)
  assert.deepEqual(order, ['signal', 'onLost true true'])
  assert.equal(deeds.at(-1)?.what, 'delete')
  await time.settled(candidate.stop())
  assert.deepEqual(told, ['elected 1001', 'lost LEADERSHIP_ENDED'])
})

test('that onElected comes to its end is not the end of the term', async () => {
  const { time, candidate, told } = standing({ onElected: async () => 'done' })
  await time.advance(7_200_000)
  assert.ok(candidate.isLeader)
  assert.deepEqual(told, ['elected 1001'])
})

test('who is deposed is told, and stands again at once', async () => {
  const { time, server, candidate, told, leaders } = standing()
  await time.advance(100)
  server.flush()
  // The next renewal finds out.
  await time.advance(3400)
  assert.deepEqual(told, ['elected 1001', 'lost LOCK_LOST', 'elected 1002'])
  assert.ok(leaders[0].signal.reason instanceof LockLostError)
  assert.throws(() => leaders[0].assertHeld(), LockLostError)
  assert.ok(candidate.isLeader)
})

test('who was stalled past its lease leads no more, before any timer has run, and is told', async () => {
  const { time, candidate, told, leaders } = standing()
  await time.advance(100)
  time.stall(10_000)
  assert.equal(candidate.isLeader, false)
  assert.equal(candidate.leader, undefined)
  assert.equal(candidate.resign(), false)
  assert.equal(leaders[0].signal.aborted, true)
  await time.advance(100)
  assert.deepEqual(told, ['elected 1001', 'lost LOCK_LOST', 'elected 1002'])
})

test('a leader that fails resigns and tells; others lead meanwhile, and it does not spin', async () => {
  const failing = standing({ onElected: () => Promise.reject(new Error('no disk')) })
  const { time, server } = failing
  await time.advance(10)
  assert.deepEqual(failing.told, ['elected 1001', 'error no disk', 'lost LEADERSHIP_ENDED'])
  assert.equal(((failing.leaders[0].signal.reason as LeadershipEndedError).cause as Error).message, 'no disk')
  assert.equal(server.get(KEY), undefined)
  await time.advance(600_000)
  const terms = failing.leaders.length
  assert.ok(terms > 5 && terms < 60, `${terms} terms in ten minutes`)
  const able = standing({}, { time, server })
  await time.advance(70_000)
  assert.ok(able.candidate.isLeader)
  assert.equal(server.waiters(KEY), 1)
})

test('an onElected that throws at once is no different', async () => {
  const { time, told } = standing({
    onElected: () => {
      throw new Error('at once')
    },
  })
  await time.advance(10)
  assert.deepEqual(told, ['elected 1001', 'error at once', 'lost LEADERSHIP_ENDED'])
})

test('the lock is not given back while the work goes on, until the grace is over', async () => {
  for (const [workMs, heldMs] of [
    [3000, 3000],
    [60_000, 5000],
  ]) {
    const { time, server, candidate, told, leaders } = standing({
      grace: '5s',
      onElected: ({ signal }) => once(signal, 'abort').then(() => new Promise<void>((end) => time.timer(workMs, end))),
    })
    await time.advance(100)
    const resignedAt = time.now()
    const stopped = candidate.stop()
    await time.advance(heldMs - 10)
    assert.equal(server.get(KEY)?.holder.owner, leaders[0].owner, `given back before ${heldMs} ms`)
    await time.settled(stopped)
    assert.equal(server.get(KEY), undefined)
    assert.ok(time.now() - resignedAt <= heldMs + 10)
    assert.equal(told.includes('error LEADERSHIP_ENDED'), workMs > heldMs)
  }
})

test('nor is this one elected again before: its work of two terms is not done at once', async () => {
  let working = 0
  const { time, server, leaders } = standing({
    onElected: async ({ signal }) => {
      assert.equal(++working, 1)
      await once(signal, 'abort')
      await new Promise<void>((end) => time.timer(4000, end))
      working--
    },
  })
  await time.advance(100)
  server.flush()
  await time.advance(20_000)
  assert.equal(leaders.length, 2)
})

test('what work throws because the term has ended is no error; anything else is', async () => {
  const endings: [(signal: AbortSignal) => unknown, string[]][] = [
    [(signal) => signal.reason, []],
    [() => new DOMException('stopped', 'AbortError'), []],
    [(signal) => new Error('stopped', { cause: signal.reason }), []],
    [() => new LockLostError('boss', 'over'), []],
    [() => new Error('no disk'), ['error no disk']],
  ]
  for (const [thrown, errors] of endings) {
    const { time, candidate, told } = standing({
      onElected: async ({ signal }) => {
        await once(signal, 'abort')
        throw thrown(signal)
      },
    })
    await time.advance(100)
    await time.settled(candidate.stop())
    assert.deepEqual(told.slice(2), errors)
  }
})

test('a server that is away is told of, and the campaign goes on', async () => {
  let away = true
  const { time, candidate, told } = standing({}, { fates: () => (away ? { loss: 'refused' } : undefined) })
  await time.advance(10_000)
  assert.ok(told.length > 5 && told.length < 12 && told.every((what) => what === 'error LOCK_UNAVAILABLE'), `${told}`)
  away = false
  await time.advance(2000)
  assert.ok(candidate.isLeader)
})

test('what is not known is told, and the campaign goes on', async () => {
  let away = true
  const { time, candidate, told } = standing(
    {},
    { queues: false, fates: () => (away ? { loss: 'request' } : undefined) },
  )
  await time.advance(10_000)
  assert.ok(told.length > 3 && told.length < 12 && told.every((what) => what === 'error LOCK_AMBIGUOUS'), `${told}`)
  away = false
  await time.advance(20_000)
  assert.ok(candidate.isLeader)
})

test('whatever else goes wrong is told, and the campaign goes on', async () => {
  const { time, server, driver, candidate, told } = standing()
  await time.advance(100)
  const claim = driver.claim.bind(driver)
  driver.claim = () => Promise.reject(new TypeError('broken'))
  server.flush()
  await time.advance(60_000)
  const errors = told.slice(2)
  assert.ok(errors.length > 10 && errors.length < 100 && errors.every((what) => what === 'error broken'), `${told}`)
  driver.claim = claim
  await time.advance(6000)
  assert.ok(candidate.isLeader)
})

test('what the server can never do ends it, and is told', async () => {
  const first = model()
  first.driver.claim = () => Promise.reject(new LockArgumentError('no such lease here'))
  const told: unknown[] = []
  const candidate = first.locks.elect('boss', { onElected: never, onError: (error) => told.push(error) })
  await first.time.settled(candidate.ended)
  assert.ok(told.length === 1 && told[0] instanceof LockArgumentError)
  assert.equal(candidate.isLeader, false)
  await assert.rejects(first.time.settled(first.locks.campaign('boss')), LockArgumentError)
})

test('stopped while it waits it leaves the queue, and is never elected', async () => {
  const [first, second, third] = three()
  const { time, server } = first
  await time.advance(100)
  assert.equal(server.waiters(KEY), 2)
  await time.settled(second.candidate.stop())
  assert.equal(server.waiters(KEY), 1)
  await time.settled(first.candidate.stop())
  await time.advance(100)
  assert.ok(third.candidate.isLeader)
  assert.deepEqual(second.told, [])
})

for (const queues of [true, false]) {
  test(`stopped at any moment nothing is left, and every term has its end${queues ? '' : ', without queues'}`, async () => {
    let moments = 0
    for (let stopped = true; stopped; moments++) {
      const controller = new AbortController()
      let steps = -1
      const step = () => {
        if (++steps === moments) controller.abort()
      }
      const { time, server, candidate, told } = standing({ signal: controller.signal }, { step, queues })
      await time.advance(12_000)
      stopped = controller.signal.aborted
      await time.settled(candidate.stop())
      await time.advance(20_000)
      assert.equal(server.get(KEY), undefined, `left behind after a stop at ${moments}`)
      assert.equal(server.waiters(KEY), 0)
      assert.deepEqual(
        told.map((what) => what.split(' ')[0]),
        told.length === 0 ? [] : ['elected', 'lost'],
      )
    }
    assert.ok(moments > 6, `${moments} moments`)
  })
}

test('stopped between being granted the lock and being told of it, it is not elected any more', async () => {
  let elected = 0
  for (let microtasks = 0; microtasks < 40; microtasks++) {
    const step: Step = (kind, phase) => {
      if (kind === 'claim' && phase === 'replied') void afterMicrotasks(microtasks, () => candidate.stop())
    }
    const onElected = ({ signal }: Leader) => assert.equal(signal.aborted, false)
    const { time, server, candidate, told } = standing({ onElected }, { step })
    await time.settled(candidate.ended)
    await time.advance(1000)
    assert.equal(server.get(KEY), undefined)
    assert.deepEqual(told, told.length === 0 ? [] : ['elected 1001', 'lost LEADERSHIP_ENDED'])
    elected += told.length / 2
  }
  assert.ok(elected > 0 && elected < 40, `${elected} were elected`)
})

async function afterMicrotasks(count: number, run: () => unknown): Promise<void> {
  for (let i = 0; i < count; i++) await undefined
  run()
}

test('a signal that has aborted already: it never stands', async () => {
  const { time, candidate, driver } = standing({ signal: AbortSignal.abort() })
  await time.settled(candidate.ended)
  assert.equal(driver.asked.claim, 0)
})

test('closing the locks ends terms in order: the leader is told, and its lock given back when its work has ended', async () => {
  const { time, server, locks, told, leaders } = standing({
    onElected: ({ signal }) => once(signal, 'abort').then(() => new Promise<void>((end) => time.timer(1000, end))),
  })
  const leadership = await time.settled(locks.campaign('other'))
  const other = locks.campaign('boss')
  const refused = assert.rejects(other, LockUnavailableError)
  await time.advance(100)
  const closed = locks.close()
  await time.advance(900)
  assert.equal(leadership.signal.aborted, true)
  assert.equal(server.get(KEY)?.holder.owner, leaders[0].owner)
  await time.settled(closed)
  await refused
  assert.equal(server.keys().length, 0)
  assert.deepEqual(told, ['elected 1001', 'lost LEADERSHIP_ENDED'])
  assert.throws(() => locks.elect('boss', { onElected: never, onError: never }), LockUnavailableError)
  await assert.rejects(locks.campaign('boss'), LockUnavailableError)
})

test('callbacks that fail bring nothing down, and are not hidden', async () => {
  const warnings: string[] = []
  const hear = ({ message }: Error) => warnings.push(message)
  process.on('warning', hear)
  const { time, candidate } = standing({
    onElected: () => Promise.reject(new Error('elected')),
    onLost: () => Promise.reject(new Error('lost')),
    onError: (error) => Promise.reject(error),
  })
  await time.advance(3000)
  await time.settled(candidate.stop())
  await new Promise((resolve) => setTimeout(resolve, 10))
  process.off('warning', hear)
  assert.deepEqual(warnings.slice(0, 2), ['elected', 'lost'])
})

test('what no text can be made of is warned of, too', async () => {
  const unhandled: unknown[] = []
  const hear = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', hear)
  const warned = once(process, 'warning')
  const { time, candidate } = standing({
    onElected: () => Promise.reject(new Error('elected')),
    onError: () => Promise.reject(Object.create(null)),
  })
  await time.advance(100)
  await time.settled(candidate.stop())
  await new Promise((resolve) => setTimeout(resolve, 10))
  process.off('unhandledRejection', hear)
  assert.deepEqual(unhandled, [])
  assert.match((await warned)[0].message, /no text/)
})

test('a campaign is one term: resigned, or lost, and its signal says which', async () => {
  const { time, server, locks } = model({ queues: true })
  const first = await time.settled(locks.campaign('boss', { ttl: '10s', label: 'here:80' }))
  assert.equal(server.get(KEY)?.holder.label, 'here:80')
  const waiting = locks.campaign('boss', { ttl: '10s' })
  await time.advance(3_700_000)
  assert.ok(first.isLeading, 'a term has no end of its own')
  assert.equal(await time.settled(first.resign()), 'released')
  assert.equal((first.signal.reason as LeadershipEndedError).code, 'LEADERSHIP_ENDED')
  const second = await time.settled(waiting)
  assert.ok(second.fence > first.fence)
  server.flush()
  await time.advance(10_000)
  assert.ok(second.signal.reason instanceof LockLostError)
  assert.equal(second.isLeading, false)

  const reason = new Error('enough')
  const controller = new AbortController()
  const third = await time.settled(locks.campaign('boss'))
  const aborted = assert.rejects(locks.campaign('boss', { signal: controller.signal }), reason)
  await time.advance(10)
  controller.abort(reason)
  await aborted
  assert.equal(server.waiters(KEY), 0)
  assert.ok(third.isLeading)
})

test('a leader has a fence, whatever the other locks have', async () => {
  const { time, locks } = model({ locks: { guarantee: 'efficiency' } })
  assert.equal((await time.settled(locks.campaign('boss'))).fence, 1001n)
})

test('options that are none', () => {
  const { locks } = model()
  const good = { onElected: never, onError: never }
  for (const bad of [
    { ...good, onElected: 1 },
    { ...good, onError: 1 },
    { ...good, onLost: 'x' },
    { ...good, grace: -1 },
    { ...good, renew: false },
    { ...good, ttl: '1x' },
    { ...good, wait: '1s' },
    { ...good, guarantee: 'lease' },
    undefined,
  ]) {
    assert.throws(() => locks.elect('boss', bad as never), LockArgumentError)
  }
  assert.throws(() => locks.elect('', good), LockArgumentError)
})

test('campaigns and observers check what they are given', async () => {
  const { locks } = model()
  await assert.rejects(locks.campaign('boss', { onError: 1 } as never), LockArgumentError)
  await assert.rejects(locks.campaign('boss', { onElected: never } as never), LockArgumentError)
  assert.throws(() => locks.observe(''), LockArgumentError)
  assert.throws(() => locks.observe('boss', { every: 1 }), LockArgumentError)
  assert.throws(() => locks.observe('boss', { sinal: AbortSignal.abort() } as never), LockArgumentError)
})
