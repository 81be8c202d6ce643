/** What no lock could have is refused before anything is sent. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocks, LockArgumentError } from 'latchkey/locks'
import { model } from './support/model.js'

/** For what the types rule out: JavaScript callers have none. */
// biome-ignore lint/suspicious/noExplicitAny: that is the point
const as = (value: unknown): any => value

const names: Record<string, unknown> = {
  'no name': undefined,
  'null as name': null,
  'a number as name': 5,
  'an empty name': '',
  'a name of 201 bytes': 'n'.repeat(201),
  'a name of 202 bytes in UTF-8': 'é'.repeat(101),
  'a name with a space': 'a b',
  'a name with a wide space': 'a\u3000b',
  'a name with a newline': 'a\r\nflush_all',
  'a name with a zero byte': 'a\0',
  'a name with half a surrogate pair': 'a\ud800',
}

for (const [what, name] of Object.entries(names)) {
  test(`${what} is refused`, async () => {
    const { driver, locks } = model()
    const uses = [
      () => locks.acquire(as(name)),
      () => locks.acquire(['good', as(name)]),
      () => locks.tryAcquire(as(name)),
      () => locks.using(as(name), () => undefined),
      () => locks.inspect(as(name)),
      () => locks.forceRelease(as(name)),
    ]
    for (const use of uses) await assert.rejects(async () => use(), LockArgumentError)
    assert.deepEqual(Object.values(driver.asked), [0, 0, 0, 0, 0, 0])
  })
}

test('a name that is too long is told its length', async () => {
  await assert.rejects(model().locks.acquire('n'.repeat(300)), /1 to 200 bytes, not 300/)
})

test('names of all other kinds are taken', async () => {
  for (const name of ['a', 'n'.repeat(200), 'é'.repeat(100), 'invoice:42/ü€😀', '__proto__']) {
    const { time, locks } = model()
    assert.equal((await time.settled(locks.acquire(name))).name, name)
  }
})

const wrong: Record<string, unknown> = {
  'no object': 5,
  'an unknown option': { timeout: 5 },
  'a lease of nothing': { ttl: 0 },
  'a lease of 9 ms': { ttl: 9 },
  'a lease of text that is no span': { ttl: '5 minutes' },
  'a lease of 31 days': { ttl: '31d' },
  'an endless lease': { ttl: Number.POSITIVE_INFINITY },
  'a negative wait': { wait: -1 },
  'a wait that is no number': { wait: Number.NaN },
  'a negative maxHold': { maxHold: -1 },
  'more remaining than there is': { ttl: 1000, minRemaining: 1000 },
  'an unknown guarantee': { guarantee: 'perfect' },
  'an unknown way to renew': { renew: 'never' },
  'a label that is no text': { label: 5 },
  'a signal that is none': { signal: {} },
}

for (const [what, options] of Object.entries(wrong)) {
  test(`options: ${what} is refused`, async () => {
    const { driver, locks } = model()
    await assert.rejects(locks.acquire('a', as(options)), LockArgumentError)
    assert.equal(driver.asked.claim, 0)
  })
}

test('options of createLocks are checked at once', () => {
  const { driver } = model()
  const bad = [
    { prefix: 'a b' },
    { prefix: 'p'.repeat(51) },
    { prefix: 5 },
    { prefix: 'latchkey:register:' },
    { prefix: 'latchkey:fence:mine:' },
    { deadlineMs: 0 },
    { ttl: '1y' },
    { wait: 5 },
    5,
  ]
  for (const options of bad) assert.throws(() => createLocks(driver, as(options)), LockArgumentError)
})

test('options that are undefined are as not given', async () => {
  const { time, locks } = model()
  const lock = await time.settled(locks.acquire('a', as({ ttl: undefined, signal: undefined })))
  assert.ok(lock.remainingMs() > 29_000)
  await assert.rejects(time.settled(lock.extend(as('soon'))), LockArgumentError)
  assert.equal(lock.state, 'held')
})

test('a restored lock is made of what serialize gave, and nothing else', async () => {
  const { driver, locks } = model()
  const good = {
    latchkey: 1,
    key: 'ka',
    name: 'a',
    holder: { owner: '0'.repeat(32) },
    ttlMs: 1000,
    guarantee: 'fenced',
  }
  const texts = ['', '{}', 'null', undefined, 5, JSON.stringify({ ...good, latchkey: 2 })]
  texts.push(JSON.stringify({ ...good, holder: {} }), JSON.stringify({ ...good, ttlMs: '1' }))
  texts.push(JSON.stringify({ ...good, guarantee: 'x' }), JSON.stringify({ ...good, key: 'k a' }))
  for (const text of texts) await assert.rejects(locks.restore(as(text)), LockArgumentError, String(text))
  assert.equal(driver.asked.find, 0)
})

test('using wants something to do', async () => {
  const { driver, locks } = model()
  await assert.rejects(async () => locks.using('a', as({})), LockArgumentError)
  assert.equal(driver.asked.claim, 0)
})
