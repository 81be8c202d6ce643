/** Time that is not real: everything in its order, and nothing before what comes of the step before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualTime } from '#dist/torture/simulation/virtual-time.js'
import { Random } from '../../store/random.js'

test('timers run in the order of their times and, at one moment, of their making', async () => {
  const random = new Random(7)
  const time = new VirtualTime()
  const wanted: { at: number; order: number }[] = []
  const ran: { at: number; order: number }[] = []
  for (let order = 0; order < 500; order++) {
    const timer = { at: random.below(50), order }
    const cancel = time.timer(timer.at, () => ran.push({ at: time.now(), order }))
    if (random.below(4) === 0) cancel()
    else wanted.push(timer)
  }
  assert.equal(time.waiting, wanted.length)
  await time.advance(100)
  wanted.sort((one, other) => one.at - other.at || one.order - other.order)
  assert.deepEqual(ran, wanted)
  assert.equal(time.waiting, 0)
  assert.equal(time.now(), 100)
})

test('a timer comes when all promises have had their turn, however long the chain', async () => {
  const time = new VirtualTime()
  const log: string[] = []
  time.timer(1, async () => {
    for (let i = 0; i < 100; i++) await undefined
    await Promise.all([Promise.resolve(), new Promise<void>((resolve) => queueMicrotask(resolve))])
    log.push(`chain at ${time.now()}`)
    time.timer(0, () => log.push('made in the chain'))
  })
  time.timer(1, () => log.push(`next at ${time.now()}`))
  time.timer(2, () => log.push('last'))
  await time.advance(5)
  assert.deepEqual(log, ['chain at 1', 'next at 1', 'made in the chain', 'last'])
})

test('what comes of looking after a step has its turn before the next', async () => {
  const time = new VirtualTime()
  const log: string[] = []
  time.afterStep = () => {
    if (log.length !== 1) return false
    Promise.resolve().then(() => log.push('looked'))
    return true
  }
  time.timer(1, () => log.push('first'))
  time.timer(1, () => log.push('second'))
  await time.advance(1)
  assert.deepEqual(log, ['first', 'looked', 'second'])
})

test('two times of one thread do not disturb each other', async () => {
  const play = async (rounds: number) => {
    const time = new VirtualTime()
    const log: number[] = []
    const tick = async () => {
      await Promise.resolve().then(() => undefined)
      log.push(time.now())
      if (log.length < rounds) time.timer(3, tick)
    }
    time.timer(3, tick)
    await time.advance(1000)
    return log
  }
  const [one, other] = await Promise.all([play(50), play(80)])
  assert.deepEqual(other.slice(0, 50), one)
  assert.equal(other.at(-1), 240)
})

test('it ends with the promise, and not before its time; what nothing will settle is said so', async () => {
  const time = new VirtualTime()
  const promise = new Promise<string>((resolve) => time.timer(10, () => resolve('done')))
  assert.equal(await time.within(promise, 9), false)
  assert.equal(await time.settled(promise), 'done')
  assert.equal(time.now(), 10)
  await assert.rejects(time.settled(new Promise(() => {})), /nothing will ever settle it/)
})

test('what a timer throws comes through', async () => {
  const time = new VirtualTime()
  time.timer(1, () => {
    throw new Error('broken')
  })
  await assert.rejects(time.advance(2), /broken/)
})
