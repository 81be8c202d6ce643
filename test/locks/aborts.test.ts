/** An abort at every moment of an acquisition: whatever it meets, nothing is left behind. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lock } from 'latchkey/locks'
import { model } from './support/model.js'
import type { Fates } from './support/model-driver.js'

const KEY = 'latchkey:lock:a'

interface Course {
  readonly queues: boolean
  /** Another has the lock for the first so many milliseconds. */
  readonly heldMs: number
  readonly fates: Fates
}

const plain: Fates = () => undefined
const courses: Record<string, Course> = {
  'a free lock': { queues: false, heldMs: 0, fates: plain },
  'a queue': { queues: true, heldMs: 100, fates: plain },
  polling: { queues: false, heldMs: 100, fates: plain },
  'a lost reply': { queues: false, heldMs: 0, fates: (kind) => (kind === 'claim' ? { loss: 'reply' } : undefined) },
  'a dropped connection in a queue': {
    queues: true,
    heldMs: 50,
    fates: (kind) => (kind === 'claim' ? { loss: 'drop' } : undefined),
  },
  'lost confirmations': {
    queues: false,
    heldMs: 0,
    fates: (kind, nth) => (kind === 'claim' || nth < 3 ? { loss: 'drop' } : undefined),
  },
  'a slow answer': {
    queues: false,
    heldMs: 0,
    fates: (kind, nth) => (kind === 'claim' && nth === 1 ? { replyMs: 800 } : undefined),
  },
  'a server that is away at first': {
    queues: true,
    heldMs: 0,
    fates: (kind, nth) => (kind === 'claim' && nth < 4 ? { loss: 'refused' } : undefined),
  },
}

/** Aborts at the nth moment; false when the acquisition had fewer. */
async function abortAt(nth: number, { queues, heldMs, fates }: Course): Promise<boolean> {
  const controller = new AbortController()
  const reason = new Error('aborted')
  let steps = -1
  let watching = false
  const step = () => {
    if (watching && ++steps === nth) controller.abort(reason)
  }
  const { time, server, driver, locks } = model({ queues, step, locks: { deadlineMs: 900 } })
  const other = server.add(KEY, { owner: 'other' }, 1e9)!
  if (heldMs > 0) time.timer(heldMs, () => server.remove(KEY, other.version))
  else server.remove(KEY, other.version)
  driver.fates = fates
  watching = true
  // A lease of a day, so that its end hides nothing; one short enough for the slow answer to matter.
  const options = { ttl: '1d', minRemaining: 86_400_000 - 86_400 - 500, wait: '1m', signal: controller.signal } as const
  const result: Lock | Error = await time.settled(locks.acquire('a', options)).catch((error) => error)
  watching = false
  const aborted = steps >= nth
  if (!aborted) assert.ok(!(result instanceof Error), `not acquired: ${result}`)
  if (result instanceof Error) assert.equal(result, reason)
  else assert.equal(await time.settled(result.release()), 'released')
  driver.fates = plain
  await time.advance(10_000)
  assert.equal(server.get(KEY), undefined, `left behind after an abort at step ${nth}`)
  assert.equal(server.waiters(KEY), 0)
  return aborted
}

for (const [name, course] of Object.entries(courses)) {
  test(`an abort at any moment leaves nothing behind: ${name}`, async () => {
    let moments = 0
    while (await abortAt(moments, course)) moments++
    assert.ok(moments >= 4, `${moments} moments`)
  })
}
