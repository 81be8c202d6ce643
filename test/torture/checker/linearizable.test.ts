/** The search for a legal order: by hand, and against trying out every order there is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from 'latchkey/torture'
import { cannotBeOrdered, type Operation } from '#dist/torture/checker/linearizable.js'

const EVER = Number.POSITIVE_INFINITY
const acquire = (hold: number, from: number, to: number): Operation => ({ what: 'acquire', hold, from, to })
const release = (hold: number, from: number, to: number): Operation => ({ what: 'release', hold, from, to })
const busy = (from: number, to: number): Operation => ({ what: 'busy', from, to })
const maybe = (operation: Operation): Operation => ({ ...operation, optional: true })

const isLegal = (...operations: Operation[]) => cannotBeOrdered(operations) === undefined

test('one after the other is legal, however it is told', () => {
  assert.ok(isLegal())
  assert.ok(isLegal(release(1, 30, 40), acquire(1, 10, 30), release(0, 5, 20), acquire(0, 0, 4)))
})

test('two at once are not', () => {
  assert.ok(!isLegal(acquire(0, 0, 4), acquire(1, 5, 9), release(0, 10, 12), release(1, 13, 14)))
  assert.ok(!isLegal(acquire(0, 0, 4), acquire(1, 5, 9)))
})

test('requests that overlap can be put in either order', () => {
  assert.ok(isLegal(acquire(0, 0, 4), acquire(1, 2, 20), release(0, 10, 12), release(1, 20, 24)))
  assert.ok(isLegal(acquire(0, 0, 20), acquire(1, 0, 4), release(1, 5, 8), release(0, 20, 24)))
})

test('a release without an answer may come whenever it is wanted, but not before it was sent', () => {
  assert.ok(isLegal(acquire(0, 0, 4), release(0, 6, EVER), acquire(1, 5, 9), release(1, 10, 11)))
  assert.ok(!isLegal(acquire(0, 0, 4), release(0, 10, EVER), acquire(1, 5, 9), release(1, 10, 11)))
})

test('busy needs somebody who has it', () => {
  assert.ok(isLegal(acquire(0, 0, 4), busy(3, 5), release(0, 6, 8)))
  assert.ok(!isLegal(busy(0, 2), acquire(0, 3, 4)))
  assert.ok(!isLegal(acquire(0, 0, 4), release(0, 5, 8), busy(9, 10)))
  assert.ok(isLegal(acquire(0, 0, 4), release(0, 5, 9), busy(9, 10)))
})

test('what may or may not have happened helps where it can, and never hurts', () => {
  const unknown = [maybe(acquire(7, 0, EVER)), maybe(release(7, 0, EVER))]
  assert.ok(isLegal(...unknown, busy(3, 5), acquire(0, 6, 7), release(0, 8, 9)))
  assert.ok(isLegal(...unknown, acquire(0, 1, 2), release(0, 3, 4)))
  assert.ok(!isLegal(maybe(acquire(7, 6, EVER)), busy(3, 5)))
})

test('what it gives back is where it could not go on', () => {
  const second = acquire(1, 5, 9)
  assert.equal(cannotBeOrdered([acquire(0, 0, 4), second, release(0, 10, 12), release(1, 13, 14)]), second)
})

/** Every order of every choice, without any thought. */
function isLegalByForce(left: readonly Operation[], holder?: number): boolean {
  if (left.every(({ optional }) => optional)) return true
  return left.some((operation) => {
    const { what, hold, from } = operation
    if (left.some((other) => !other.optional && other.to < from)) return false
    if (what === 'acquire' ? holder !== undefined : what === 'busy' ? holder === undefined : holder !== hold)
      return false
    const others = left.filter((other) => other !== operation)
    return isLegalByForce(others, what === 'busy' ? holder : what === 'acquire' ? hold : undefined)
  })
}

function drawn(random: Random): Operation[] {
  const span = () => {
    const from = random.below(12)
    return [from, from + random.below(5)] as const
  }
  return Array.from({ length: random.between(1, 3) }, (_, hold) => {
    const [from, to] = span()
    const releasedFrom = to + random.below(4)
    const pair = [acquire(hold, from, to), release(hold, releasedFrom, random.pick([releasedFrom + 2, EVER]))]
    return [...(random.chance(20) ? pair.map(maybe) : pair), ...(random.chance(40) ? [busy(...span())] : [])]
  }).flat()
}

test('it says the same as trying out every order', () => {
  const random = new Random(5)
  const answers = [0, 0]
  for (let run = 0; run < 3000; run++) {
    const operations = drawn(random)
    const expected = isLegalByForce(operations)
    answers[Number(expected)]++
    assert.equal(isLegal(...operations), expected, JSON.stringify(operations))
  }
  assert.ok(Math.min(...answers) > 300, `${answers}: both answers came often`)
})

test('a long history of many is searched in no time', () => {
  const operations = Array.from({ length: 60 }, (_, hold) => [
    acquire(hold, Math.max(0, hold * 10 - 40), hold * 10),
    release(hold, hold * 10 + 5, EVER),
  ]).flat()
  assert.ok(isLegal(...operations))
  assert.ok(!isLegal(...operations, acquire(99, 302, 304)))
})

test('what can be ordered in very many ways is not searched twice', () => {
  // 12 at once have 479,001,600 orders, and none of them leaves the lock held.
  const atOnce = Array.from({ length: 12 }, (_, hold) => [acquire(hold, 0, 100), release(hold, 0, 100)]).flat()
  assert.ok(isLegal(...atOnce))
  assert.ok(!isLegal(...atOnce, busy(200, 201)))
})
