/** Jobs that run once a period: who runs them, what is written down, and what failures leave. In virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createLocks,
  type Job,
  LockAmbiguousError,
  LockArgumentError,
  LockLostError,
  LockUnavailableError,
  type OnceResult,
  quorum,
} from 'latchkey/locks'
import type { Model } from '../support/model.js'
import { afterFullHour, cutOff, HOUR_MS, machines, reconnect } from './machines.js'

const hourly = { every: '1h', ttl: '10s' }
const KEY = 'latchkey:lock:once:report'

/** A job that counts its runs, and those at a time. */
function counted(ms: number, { time }: Model): { job: Job<string>; runs: () => number } {
  let runs = 0
  let running = 0
  const job = async () => {
    assert.equal(++running, 1, 'two run it')
    runs++
    await new Promise<void>((resolve) => time.timer(ms, resolve))
    running--
    return 'written'
  }
  return { job, runs: () => runs }
}

function ranHere<T>(result: OnceResult<T>) {
  assert.ok(result.ran, 'it was not run')
  return result
}

function notHere<T>(result: OnceResult<T>) {
  assert.ok(!result.ran, 'it was run')
  return result
}

/** A job that ends when told to. */
function held(): { job: Job<string>; end: () => void; fail: (error: Error) => void } {
  let end = () => {}
  let fail: (error: Error) => void = () => {}
  const ended = new Promise<string>((resolve, reject) => {
    end = () => resolve('late')
    fail = reject
  })
  return { job: () => ended, end: () => end(), fail: (error) => fail(error) }
}

test('of those that ask at once one runs it, and tells the others by the record', async () => {
  const { time, machines: all } = machines({}, {}, {})
  await afterFullHour(time, 0)
  const { job, runs } = counted(1000, all[0])
  const results = await time.settled(Promise.all(all.map(({ locks }) => locks.once('report', hourly, job))))
  assert.equal(runs(), 1)
  const { record, value, recordError } = ranHere(results.find(({ ran }) => ran)!)
  assert.equal(value, 'written')
  assert.equal(recordError, undefined)
  assert.equal(record.slot.getTime() % HOUR_MS, 0)
  assert.equal(record.outcome, 'done')
  assert.equal(record.attempt, 1)
  assert.ok(record.finishedAt!.getTime() - record.startedAt.getTime() >= 1000)
  for (const { locks } of all) {
    const late = notHere(await time.settled(locks.once('report', hourly, job)))
    assert.deepEqual(late, { ran: false, record, busy: false })
    assert.deepEqual(await time.settled(locks.lastRun('report')), record)
  }
})

test('who is late hears it by one read, and does not ask for the lock', async () => {
  const { time, machines: all } = machines({}, {})
  const { job } = counted(10, all[0])
  ranHere(await time.settled(all[0].locks.once('report', hourly, job)))
  notHere(await time.settled(all[1].locks.once('report', hourly, job)))
  assert.deepEqual([all[1].driver.asked.read, all[1].driver.asked.claim], [1, 0])
})

test('while it runs, others are told so; what runs into the next period is not overtaken there', async () => {
  const { time, machines: all } = machines({}, {})
  const [a, b] = all
  await afterFullHour(time, HOUR_MS - 5000)
  const { job, end } = held()
  const first = a.locks.once('report', hourly, job)
  const patient = notHere(
    await time.settled(b.locks.once('report', { ...hourly, wait: 900 }, () => assert.fail('two'))),
  )
  assert.deepEqual([patient.busy, patient.record?.host], [true, 'a'])
  await time.advance(100)
  const meanwhile = notHere(await time.settled(b.locks.once('report', hourly, () => assert.fail('two'))))
  assert.deepEqual([meanwhile.record?.host, meanwhile.record?.outcome], ['a', 'running'])
  await time.advance(10_000)
  const overtaken = notHere(await time.settled(b.locks.once('report', hourly, () => assert.fail('two'))))
  assert.ok(overtaken.busy)
  const waiting = b.locks.once('report', { ...hourly, wait: '1m' }, () => 'next')
  await time.advance(1000)
  end()
  ranHere(await time.settled(first))
  assert.equal(ranHere(await time.settled(waiting)).value, 'next')
})

test('a period is one for all machines, also for those whose clocks are late or ahead', async () => {
  const { time, machines: all } = machines({}, { aheadMs: -30_000 }, { aheadMs: 30_000 })
  const { job, runs } = counted(10, all[0])
  const offset = { ...hourly, offset: '30m' }
  for (let hour = 0; hour < 5; hour++) {
    // Each fires when its own clock says half past: the one that is ahead first, the late one when all is over.
    await afterFullHour(time, HOUR_MS / 2 - 30_000)
    const { record } = ranHere(await time.settled(all[2].locks.once('report', offset, job)))
    assert.equal(record.slot.getTime() % HOUR_MS, HOUR_MS / 2)
    await time.advance(30_000)
    notHere(await time.settled(all[0].locks.once('report', offset, job)))
    await time.advance(30_000)
    notHere(await time.settled(all[1].locks.once('report', offset, job)))
    assert.equal(runs(), hour + 1)
  }
})

test('who was ahead has used up the period that the others are still to come to', async () => {
  const { time, machines: all } = machines({}, { aheadMs: 30_000 })
  const [right, ahead] = all
  await afterFullHour(time, HOUR_MS - 10_000)
  ranHere(await time.settled(ahead.locks.once('report', hourly, () => 'next hour’s')))
  notHere(await time.settled(right.locks.once('report', hourly, () => assert.fail('the hour before'))))
  await time.advance(10_000)
  notHere(await time.settled(right.locks.once('report', hourly, () => assert.fail('twice in an hour'))))
})

test('what has failed in a period that has not come is not tried again in this one', async () => {
  const { time, machines: all } = machines({}, { aheadMs: 30_000 })
  const [right, ahead] = all
  await afterFullHour(time, HOUR_MS - 10_000)
  const retrying = { ...hourly, retry: 1 }
  await assert.rejects(time.settled(ahead.locks.once('report', retrying, () => Promise.reject(new Error('no')))), /no/)
  notHere(await time.settled(right.locks.once('report', retrying, () => assert.fail('the hour before'))))
  await time.advance(10_000)
  assert.equal(ranHere(await time.settled(right.locks.once('report', retrying, () => 'ok'))).record.attempt, 2)
})

test('a clock that was a year ahead holds the others up for a period, and no longer', async () => {
  const { time, machines: all } = machines({}, { aheadMs: 365 * 24 * HOUR_MS })
  const [right, ahead] = all
  const { job, runs } = counted(10, right)
  for (let hour = 0; hour < 3; hour++) {
    await afterFullHour(time, 0)
    ranHere(await time.settled(ahead.locks.once('report', hourly, job)))
    // It goes on, so it is left to it.
    notHere(await time.settled(right.locks.once('report', hourly, job)))
  }
  await time.advance(HOUR_MS - 1000)
  notHere(await time.settled(right.locks.once('report', hourly, job)))
  await time.advance(1000)
  const { record } = ranHere(await time.settled(right.locks.once('report', hourly, job)))
  assert.ok(record.slot.getTime() <= record.startedAt.getTime())
  assert.equal(runs(), 4)
  notHere(await time.settled(right.locks.once('report', hourly, job)))
})

test('a failure is written down, thrown as it is, and uses up the period', async () => {
  const { time, machines: all } = machines({}, {})
  const failure = new Error('disk full')
  await assert.rejects(
    time.settled(all[0].locks.once('report', hourly, () => Promise.reject(failure))),
    (error) => error === failure,
  )
  const result = notHere(await time.settled(all[1].locks.once('report', hourly, () => assert.fail('again'))))
  assert.deepEqual([result.record?.outcome, result.record?.error, result.busy], ['failed', 'disk full', false])
})

test('whatever is thrown is thrown as it is, and written down', async () => {
  const odd = [
    Object.create(null),
    Object.assign(new Error(), { message: 7 }),
    Object.assign(new Error(), { message: Object.create(null) }),
  ]
  for (const failure of odd) {
    const { time, machines: all } = machines({})
    const failing = time.settled(
      all[0].locks.once('report', hourly, () => Promise.reject(failure)).catch((error) => error),
    )
    assert.equal(await failing, failure)
    assert.equal((await time.settled(all[0].locks.lastRun('report')))?.outcome, 'failed')
  }
})

test('with retry, another may try again so often, in the same period', async () => {
  const { time, machines: all } = machines({}, {})
  const [a, b] = all
  const twice = { ...hourly, retry: 2 }
  const failing = (name: string) => () => Promise.reject(new Error(name))
  await assert.rejects(time.settled(a.locks.once('report', twice, failing('first'))), /first/)
  await assert.rejects(time.settled(b.locks.once('report', twice, failing('second'))), /second/)
  assert.equal((await time.settled(a.locks.lastRun('report')))?.attempt, 2)
  await assert.rejects(time.settled(a.locks.once('report', twice, failing('third'))), /third/)
  const { record } = notHere(await time.settled(b.locks.once('report', twice, () => assert.fail('a fourth time'))))
  assert.deepEqual([record?.attempt, record?.error], [3, 'third'])
  await time.advance(HOUR_MS)
  const next = ranHere(await time.settled(b.locks.once('report', twice, () => 'written')))
  assert.equal(next.record.attempt, 1)
  notHere(await time.settled(a.locks.once('report', twice, () => assert.fail('after success'))))
})

test('who dies has begun: the period is used up, or is taken over where retry allows for it, with a greater fence', async () => {
  for (const retry of [0, 1]) {
    const { time, machines: all } = machines({}, {})
    const [a, b] = all
    const { job } = held()
    void a.locks.once('report', hourly, job).catch(() => {})
    await time.advance(1000)
    cutOff(a)
    const options = { ...hourly, retry }
    const soon = notHere(await time.settled(b.locks.once('report', options, () => assert.fail('it is held'))))
    assert.equal(soon.busy, retry > 0)
    await time.advance(11_000)
    const died = (await time.settled(b.locks.lastRun('report')))!
    assert.equal(died.outcome, 'running')
    const result = await time.settled(b.locks.once('report', options, (lock) => lock.fence))
    assert.equal(result.ran, retry > 0)
    if (!result.ran) continue
    assert.equal(result.record.attempt, 2)
    assert.equal(result.record.fence, result.value)
    assert.ok(result.value > died.fence!)
  }
})

test('who comes back late cannot write over the next run, and is told', async () => {
  const { time, machines: all } = machines({}, {})
  const [a, b] = all
  const { job, end } = held()
  const first = a.locks.once('report', hourly, job)
  await time.advance(1000)
  cutOff(a)
  await time.advance(11_000)
  const { record } = ranHere(await time.settled(b.locks.once('report', { ...hourly, retry: 1 }, () => 'in time')))
  reconnect(a)
  end()
  const late = ranHere(await time.settled(first))
  assert.equal(late.value, 'late')
  assert.ok(late.recordError instanceof LockLostError, String(late.recordError))
  assert.deepEqual(await time.settled(a.locks.lastRun('report')), record)
})

test('who comes back late and finds nobody has followed writes down that it has run', async () => {
  const { time, machines: all } = machines({})
  const { job, end } = held()
  const first = all[0].locks.once('report', hourly, job)
  await time.advance(1000)
  cutOff(all[0])
  await time.advance(11_000)
  reconnect(all[0])
  end()
  assert.equal(ranHere(await time.settled(first)).recordError, undefined)
  assert.equal((await time.settled(all[0].locks.lastRun('report')))?.outcome, 'done')
})

test('a beginning that arrives late cannot begin what another has begun', async () => {
  const { time, machines: all } = machines({}, {})
  const [a, b] = all
  // Its write is on its way for longer than its lease.
  a.driver.fates = (kind) =>
    kind === 'swap' ? { requestMs: 20_000 } : kind === 'extend' ? { loss: 'request' } : undefined
  const slow = a.locks.once('report', { ...hourly, maxHold: 0 }, () => assert.fail('two began it'))
  slow.catch(() => {})
  await time.advance(12_000)
  ranHere(await time.settled(b.locks.once('report', { ...hourly, retry: 5 }, () => 'written')))
  await assert.rejects(time.settled(slow), LockAmbiguousError)
  await time.advance(60_000)
  assert.equal((await time.settled(b.locks.lastRun('report')))?.host, 'b')
})

test('who reads the record after its lease is over takes no running job for a dead one', async () => {
  const { time, machines: all } = machines({ locks: { deadlineMs: 60_000 } }, {})
  const [a, b] = all
  const retrying = { ...hourly, retry: 5 }
  a.driver.fates = (kind, nth) =>
    kind === 'read' && nth === 2 ? { requestMs: 15_000 } : kind === 'extend' ? { loss: 'request' } : undefined
  const slow = a.locks.once('report', retrying, () => assert.fail('two run it'))
  slow.catch(() => {})
  await time.advance(12_000)
  const { job, end } = held()
  const other = b.locks.once('report', retrying, job)
  await assert.rejects(time.settled(slow), LockLostError)
  end()
  const { record, recordError } = ranHere(await time.settled(other))
  assert.deepEqual([record.attempt, recordError], [1, undefined])
})

test('who finds another’s beginning where its own may have been written does not take it for its own', async () => {
  const { time, machines: all } = machines({ locks: { deadlineMs: 20_000 } }, {})
  const [a, b] = all
  a.driver.fates = (kind, nth) =>
    kind === 'extend' || (kind === 'swap' && nth === 1) ? { loss: 'request' } : undefined
  const slow = a.locks.once('report', hourly, () => assert.fail('two run it'))
  slow.catch(() => {})
  await time.advance(12_000)
  const { job, end } = held()
  const other = b.locks.once('report', hourly, job)
  await assert.rejects(time.settled(slow), LockLostError)
  end()
  assert.equal(ranHere(await time.settled(other)).recordError, undefined)
})

test('a lease that was lost while the beginning was written down is a failure, and nothing runs', async () => {
  const { time, machines: all } = machines({ locks: { deadlineMs: 60_000 } })
  all[0].driver.fates = (kind, nth) =>
    kind === 'swap' && nth === 1 ? { replyMs: 15_000 } : kind === 'extend' ? { loss: 'request' } : undefined
  const run = all[0].locks.once('report', hourly, () => assert.fail('it ran without a lock'))
  await assert.rejects(time.settled(run), LockLostError)
  assert.equal((await time.settled(all[0].locks.lastRun('report')))?.outcome, 'failed')
})

test('replies that are lost change nothing: it is begun once, and its end is written down', async () => {
  for (const lost of [1, 2]) {
    for (const loss of ['request', 'reply', 'drop'] as const) {
      const { time, machines: all } = machines({}, {})
      const { job, runs } = counted(10, all[0])
      all[0].driver.fates = (kind, nth) => (kind === 'swap' && nth === lost ? { loss } : undefined)
      const result = ranHere(await time.settled(all[0].locks.once('report', hourly, job)))
      assert.equal(result.recordError, undefined, `${loss} of ${lost}`)
      assert.equal(result.record.attempt, 1)
      assert.deepEqual(notHere(await time.settled(all[1].locks.once('report', hourly, job))).record, result.record)
      assert.equal(runs(), 1)
    }
  }
})

test('a server that is away at the beginning: nothing runs', async () => {
  for (const [loss, error] of [
    ['refused', LockUnavailableError],
    ['reply', LockAmbiguousError],
  ] as const) {
    const { time, machines: all } = machines({})
    all[0].driver.fates = (kind) => (kind === 'swap' ? { loss } : undefined)
    const run = all[0].locks.once('report', hourly, () => assert.fail('nothing was written down'))
    await assert.rejects(time.settled(run), error)
    assert.equal(await time.settled(all[0].locks.inspect('report')), undefined)
  }
})

test('a server that is away at the end: the job’s own result is told, and that it is not written down', async () => {
  const { time, machines: all } = machines({})
  const [a] = all
  const away = () => {
    a.driver.fates = () => ({ loss: 'refused' })
  }
  const result = ranHere(
    await time.settled(
      a.locks.once('report', hourly, () => {
        away()
        return 'written'
      }),
    ),
  )
  assert.equal(result.value, 'written')
  assert.ok(result.recordError instanceof LockUnavailableError)
  reconnect(a)
  await time.advance(HOUR_MS)
  const failing = a.locks.once('report', hourly, () => {
    away()
    throw new Error('the job’s own')
  })
  await assert.rejects(time.settled(failing), /the job’s own/)
})

test('a short absence at the end is waited for while the lease lasts', async () => {
  const { time, machines: all } = machines({})
  const [a] = all
  const run = a.locks.once('report', hourly, () => {
    cutOff(a)
    time.timer(5000, () => reconnect(a))
  })
  assert.equal(ranHere(await time.settled(run)).recordError, undefined)
})

test('what is there and is no record is left alone', async () => {
  const { time, server, machines: all } = machines({})
  server.swapRegister(KEY, 'mine', undefined)
  const run = all[0].locks.once('report', hourly, () => assert.fail('it ran'))
  await assert.rejects(
    time.settled(run),
    (error) => error instanceof LockUnavailableError && /once:report/.test(error.message),
  )
  assert.equal(server.register(KEY)?.value, 'mine')
})

test('given up before it begins, it does not begin, and leaves nothing', async () => {
  const { time, machines: all } = machines({}, {})
  const { job, end } = held()
  const first = all[0].locks.once('report', { ...hourly, retry: 1 }, job)
  await time.advance(100)
  const giveUp = new AbortController()
  const options = { ...hourly, wait: '1h', retry: 1, signal: giveUp.signal }
  const second = all[1].locks.once('report', options, () => assert.fail('it was given up'))
  await time.advance(1000)
  giveUp.abort(new Error('enough'))
  await assert.rejects(time.settled(second), /enough/)
  end()
  ranHere(await time.settled(first))
  assert.equal(await time.settled(all[1].locks.inspect('report')), undefined)
})

test('input that is none is refused before anything is sent', async () => {
  const { time, machines: all } = machines({})
  const { locks, driver } = all[0]
  const job = () => assert.fail('it ran')
  const refuse = async (run: () => Promise<unknown>, message: RegExp) =>
    assert.rejects(time.settled(run()), (error) => error instanceof LockArgumentError && message.test(error.message))
  await refuse(() => locks.once('report', { every: '99ms' }, job), /every is a span of 100 ms/)
  await refuse(() => locks.once('report', { every: '5w' }, job), /every/)
  await refuse(() => locks.once('report', { every: '1h', retry: -1 }, job), /retry is a whole number/)
  await refuse(() => locks.once('report', { every: '1h', ttl: '1ms' }, job), /ttl/)
  await refuse(() => locks.once('report', { every: '1h', evry: 1 } as never, job), /no option evry/)
  await refuse(() => locks.once('a b', hourly, job), /no spaces/)
  await refuse(() => locks.once('report', hourly, undefined as never), /the job, a function/)
  await refuse(() => locks.lastRun(''), /name/)
  assert.throws(() => locks.every('report', { ...hourly, jitter: '31m' }, job), /jitter/)
  assert.throws(() => locks.every('report', { ...hourly, onError: 1 } as never, job), /onError is a function/)
  assert.deepEqual(Object.values(driver.asked), [0, 0, 0, 0, 0, 0])
})

test('a quorum remembers nothing, and says so', async () => {
  await using locks = createLocks(quorum({ servers: ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3'] }))
  const refused = (error: unknown) => error instanceof LockArgumentError && /driver quorum has none/.test(error.message)
  await assert.rejects(
    locks.once('report', hourly, () => assert.fail('it ran')),
    refused,
  )
  assert.throws(() => locks.every('report', hourly, () => assert.fail('it ran')), refused)
})
