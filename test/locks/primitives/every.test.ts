/** The timer that each machine keeps: when it takes its turn, and what ends it. In virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LockUnavailableError, type OnceResult } from 'latchkey/locks'
import type { Model } from '../support/model.js'
import { afterFullHour, clockOf, cutOff, HOUR_MS, machines, reconnect } from './machines.js'

const hourly = { every: '1h', ttl: '10s' }

/** By the clock that is right: when it ran, in milliseconds after the full hour. */
function noting({ time }: Model, tookMs = 0): { job: () => Promise<void>; minutes: number[]; hours: Set<number> } {
  const { wallMs } = clockOf(time)
  const minutes: number[] = []
  const hours = new Set<number>()
  const job = () => {
    minutes.push(Math.floor((wallMs() % HOUR_MS) / 60_000))
    hours.add(Math.floor(wallMs() / HOUR_MS))
    return new Promise<void>((resolve) => time.timer(tookMs, resolve))
  }
  return { job, minutes, hours }
}

test('each period is taken by one, as it begins, and not a little later each time', async () => {
  const { time, machines: all } = machines({}, { rate: 1.0004 }, { aheadMs: -20_000 })
  await afterFullHour(time, 600_000)
  const { job, minutes, hours } = noting(all[0], 1000)
  const schedules = all.map(({ locks }) => locks.every('report', hourly, job))
  await time.advance(50 * HOUR_MS)
  assert.equal(minutes.length, 50)
  assert.equal(hours.size, 50)
  assert.deepEqual(new Set(minutes), new Set([0]))
  await time.settled(Promise.all(schedules.map((schedule) => schedule.stop())))
  await time.advance(5 * HOUR_MS)
  assert.equal(minutes.length, 50)
})

test('the period that runs already is taken by who asks for it, if it is not yet used up', async () => {
  const { time, machines: all } = machines({}, {})
  await afterFullHour(time, 600_000)
  const { job, minutes } = noting(all[0])
  const first = all[0].locks.every('report', { ...hourly, catchUp: true }, job)
  await time.advance(1000)
  const second = all[1].locks.every('report', { ...hourly, catchUp: true }, job)
  await time.advance(1000)
  assert.deepEqual(minutes, [10])
  await time.settled(Promise.all([first.stop(), second.stop()]))
})

test('with jitter turns are taken at random times after the beginning', async () => {
  const { time, machines: all } = machines({})
  await afterFullHour(time, 600_000)
  const { job, minutes } = noting(all[0])
  const schedule = all[0].locks.every('report', { ...hourly, jitter: '30m' }, job)
  await time.advance(40 * HOUR_MS)
  assert.equal(minutes.length, 40)
  assert.ok(minutes.every((minute) => minute < 30))
  assert.ok(new Set(minutes).size > 10, `${[...new Set(minutes)]}`)
  await time.settled(schedule.stop())
})

test('who dies is followed by another in the same period, where retry allows for it', async () => {
  for (const retry of [0, 1]) {
    const { time, machines: all } = machines({}, { aheadMs: -1000 })
    const [a, b] = all
    await afterFullHour(time, 600_000)
    let began = 0
    void a.locks.every('report', { ...hourly, retry }, () => {
      began++
      cutOff(a)
      return new Promise(() => {})
    })
    const results: OnceResult<unknown>[] = []
    const options = { ...hourly, retry, onResult: (result: OnceResult<unknown>) => results.push(result) }
    const schedule = b.locks.every('report', options, () => began++)
    await time.advance(HOUR_MS - 600_000 + 60_000)
    assert.equal(began, 1 + retry)
    assert.equal(results.at(-1)!.ran, retry > 0)
    assert.equal(results.at(-1)!.record?.outcome, retry > 0 ? 'done' : 'running')
    await time.advance(HOUR_MS)
    assert.equal(began, 2 + retry)
    await time.settled(schedule.stop())
  }
})

test('what has failed is tried again in the same period, as often as retry says, and told each time', async () => {
  const { time, machines: all } = machines({}, {})
  await afterFullHour(time, 600_000)
  const errors: unknown[] = []
  const options = { ...hourly, retry: 2, onError: (error: unknown) => errors.push(error) }
  const failure = new Error('disk full')
  const schedules = all.map(({ locks }) => locks.every('report', options, () => Promise.reject(failure)))
  await time.advance(HOUR_MS - 600_000 + HOUR_MS / 2)
  assert.deepEqual(errors, [failure, failure, failure])
  await time.advance(HOUR_MS)
  assert.equal(errors.length, 6)
  await time.settled(Promise.all(schedules.map((schedule) => schedule.stop())))
})

test('a server that is away is told of, asked again within the period, and does not end it', async () => {
  const { time, machines: all } = machines({})
  const [a] = all
  await afterFullHour(time, 600_000)
  const { job, minutes } = noting(a)
  const errors: unknown[] = []
  const schedule = a.locks.every('report', { ...hourly, onError: (error) => errors.push(error) }, job)
  a.driver.fates = () => ({ loss: 'refused' })
  await time.advance(HOUR_MS - 600_000 + 120_500)
  assert.ok(errors.length > 5 && errors.every((error) => error instanceof LockUnavailableError))
  reconnect(a)
  await time.advance(HOUR_MS)
  assert.deepEqual(minutes, [2, 0])
  await time.settled(schedule.stop())
})

test('a period that begins while the one before is still asked for is not left out', async () => {
  const { time, machines: all } = machines({})
  const [a] = all
  await afterFullHour(time, 600_000)
  const { job, minutes } = noting(a)
  const schedule = a.locks.every('report', { ...hourly, onError: () => {} }, job)
  a.driver.fates = () => ({ loss: 'refused' })
  await time.advance(2 * HOUR_MS - 600_000 + 20_000)
  reconnect(a)
  await time.advance(60_000)
  assert.deepEqual(minutes, [0])
  await time.settled(schedule.stop())
})

test('a clock that is set moves the turns with it, and one that is set back by a year does not stop them for so long', async () => {
  const { time, machines: all } = machines({})
  const [a] = all
  await afterFullHour(time, 600_000)
  const { job, minutes } = noting(a)
  const schedule = a.locks.every('report', hourly, job)
  a.aheadMs = HOUR_MS / 2
  await time.advance(HOUR_MS / 2)
  assert.deepEqual(minutes, [30])
  a.aheadMs = 365 * 24 * HOUR_MS
  await time.advance(HOUR_MS)
  assert.deepEqual(minutes, [30, 40, 0])
  a.aheadMs = 0
  // As long as it takes to see that nobody goes on with what was written then.
  await time.advance(2 * HOUR_MS)
  assert.deepEqual(minutes, [30, 40, 0, 0])
  await time.settled(schedule.stop())
})

test('handlers that throw end nothing', async () => {
  const { time, machines: all } = machines({})
  await afterFullHour(time, 600_000)
  const warnings: string[] = []
  const warned = (warning: Error) => warnings.push(warning.message)
  process.on('warning', warned)
  let runs = 0
  const onResult = () => {
    throw new Error('the handler’s own')
  }
  const schedule = all[0].locks.every('report', { ...hourly, onResult }, () => runs++)
  await time.advance(3 * HOUR_MS)
  assert.equal(runs, 3)
  await time.settled(schedule.stop())
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', warned)
  assert.deepEqual(warnings, Array(3).fill('the handler’s own'))
})

test('handlers whose promises are rejected are warned of, too', async () => {
  const { time, machines: all } = machines({})
  await afterFullHour(time, 600_000)
  const warnings: string[] = []
  const warned = (warning: Error) => warnings.push(warning.message)
  process.on('warning', warned)
  const fails = (of: string) => async () => {
    throw new Error(of)
  }
  const options = { ...hourly, onResult: fails('result'), onError: fails('error') }
  let runs = 0
  const schedule = all[0].locks.every('report', options, () => {
    if (runs++ === 1) throw new Error('disk full')
  })
  await time.advance(2 * HOUR_MS)
  assert.equal(runs, 2)
  await time.settled(schedule.stop())
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', warned)
  assert.deepEqual(warnings.slice(0, 2), ['result', 'error'])
})

test('a failure costs no later period, although a lease is longer than a period', async () => {
  const { time, machines: all } = machines({})
  const [a] = all
  await afterFullHour(time, -10_000)
  const began: number[] = []
  const options = { every: '20s', ttl: '60s', onError: () => {} }
  const schedule = a.locks.every('report', options, () => began.push(Math.floor(clockOf(time).wallMs() / 1000) % 3600))
  a.driver.fates = () => ({ loss: 'refused' })
  await time.advance(15_000)
  assert.deepEqual(began, [])
  reconnect(a)
  await time.advance(60_000)
  assert.deepEqual(began, [20, 40, 60])
  await time.settled(schedule.stop())
})

test('hours in which the event loop is blocked are one turn, and a job that outlasts its period is not overtaken', async () => {
  const { time, machines: all } = machines({})
  await afterFullHour(time, 600_000)
  const { job, minutes } = noting(all[0], 0)
  const schedule = all[0].locks.every('report', hourly, job)
  time.stall(5 * HOUR_MS)
  await time.advance(1000)
  assert.deepEqual(minutes, [10])
  await time.settled(schedule.stop())
  const long = noting(all[0], 1.5 * HOUR_MS)
  const slow = all[0].locks.every('slow', { ...hourly, maxHold: '1d' }, long.job)
  await time.advance(4 * HOUR_MS)
  assert.equal(long.minutes.length, 3)
  await time.settled(slow.stop())
})

test('stopping waits for the job that runs, and for none that has not begun', async () => {
  const { time, machines: all } = machines({})
  await afterFullHour(time, 600_000)
  let ended = false
  const schedule = all[0].locks.every('report', hourly, async () => {
    await new Promise<void>((resolve) => time.timer(60_000, resolve))
    ended = true
  })
  await time.advance(HOUR_MS - 600_000 + 30_000)
  const stopped = schedule.stop()
  assert.equal(await time.within(stopped, 20_000), false)
  await time.settled(stopped)
  assert.ok(ended)
  assert.equal((await time.settled(all[0].locks.lastRun('report')))?.outcome, 'done')
  await time.settled(all[0].locks.every('other', hourly, () => assert.fail('it had not begun')).stop())
})

test('a signal, and closing the locks, end it, too', async () => {
  const { time, machines: all } = machines({})
  await afterFullHour(time, 600_000)
  const end = new AbortController()
  const warned = (warning: Error) => assert.fail(warning.message)
  process.on('warning', warned)
  let runs = 0
  const byHand = all[0].locks.every('a', { ...hourly, signal: end.signal }, () => runs++)
  const byClosing = all[0].locks.every('b', hourly, () => runs++)
  await time.advance(HOUR_MS)
  assert.equal(runs, 2)
  end.abort()
  await time.advance(HOUR_MS)
  assert.equal(runs, 3)
  await time.settled(all[0].locks.close())
  await time.advance(HOUR_MS)
  assert.equal(runs, 3)
  assert.equal(time.waiting, 0)
  await Promise.all([byHand.stop(), byClosing.stop()])
  // While a turn is being asked for, too.
  const other = machines({})
  await afterFullHour(other.time, 0)
  other.machines[0].driver.fates = () => ({ requestMs: 100 })
  const asking = other.machines[0].locks.every('d', { ...hourly, catchUp: true }, () => runs++)
  await other.time.advance(50)
  await other.time.settled(Promise.all([other.machines[0].locks.close(), asking.stop()]))
  assert.throws(() => all[0].locks.every('c', hourly, () => runs++), LockUnavailableError)
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', warned)
})
