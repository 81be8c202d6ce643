/** The parts of a quorum that need no server. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ballot } from '#dist/locks/drivers/quorum/ballot.js'
import { FenceClock } from '#dist/locks/drivers/quorum/fence-clock.js'
import { decodeVotes, encodeVotes } from '#dist/locks/drivers/quorum/version.js'

test('versions of any kind, known or not, come back as they were', () => {
  const votes = { owner: 'a'.repeat(32), versions: [5n, undefined, 'a b/-n7', 2n ** 70n, ''] }
  assert.deepEqual(decodeVotes(encodeVotes(votes)), votes)
})

test('fences rise, also within a microsecond and with the clock set back', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2030, 0, 1) })
  const clock = new FenceClock(() => 0.999)
  let last = clock.next()
  for (let i = 0; i < 100; i++) {
    if (i === 50) t.mock.timers.setTime(Date.UTC(2029, 0, 1))
    const next = clock.next()
    assert.ok(next > last, `${next} after ${last}`)
    last = next
  }
})

test('a clock that is behind is ahead of the floor from then on, and stays in step with it', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2030, 0, 1) })
  const [fast, slow] = [new FenceClock(() => 0.5), new FenceClock(() => 0.5)]
  slow.saw(fast.next() + 1_000_000n * 4096n)
  assert.ok(slow.next() > fast.next() + 900_000n * 4096n)
  t.mock.timers.setTime(Date.UTC(2030, 0, 1) + 60_000)
  assert.ok(slow.next() > fast.next() + 900_000n * 4096n)
})

test('a clock that nobody has set yet gives small fences, and none below 0', () => {
  const clock = new FenceClock(() => 0, { wallMs: () => 5000, monotonicMs: () => 5000 })
  assert.deepEqual([clock.next(), clock.next()], [1n, 2n])
})

test('two that ask in the same microsecond differ by chance', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2030, 0, 1) })
  assert.notEqual(new FenceClock(() => 0.1).next() % 4096n, new FenceClock(() => 0.9).next() % 4096n)
})

test('fences fit in 63 bits for as long as anybody can want', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2085, 0, 1) })
  assert.ok(new FenceClock().next() < 2n ** 63n)
})

test('a ballot is over as soon as it is decided, and goes on to tell what comes late', async () => {
  let answerLate: (word: string) => void = () => assert.fail('asked twice')
  const late = new Promise<string>((resolve) => {
    answerLate = resolve
  })
  const ballot = new Ballot([Promise.resolve('yes'), late, Promise.reject(new Error('down')), Promise.resolve('yes')])
  const yes = () => ballot.count((answer) => answer.kind === 'given' && answer.value === 'yes')
  await ballot.until(() => yes() >= 2)
  assert.deepEqual(ballot.given(), [
    { at: 0, value: 'yes' },
    { at: 3, value: 'yes' },
  ])
  answerLate('no')
  assert.deepEqual(await ballot.coming[1], { kind: 'given', value: 'no' })
  assert.match(`${ballot.errors()}`, /down/)
})

test('a ballot that nothing decides is over when all have answered', async () => {
  const ballot = new Ballot([Promise.resolve(1), Promise.reject(new Error('down'))])
  await ballot.until(() => false)
  assert.equal(
    ballot.count(({ kind }) => kind === 'none'),
    0,
  )
})
