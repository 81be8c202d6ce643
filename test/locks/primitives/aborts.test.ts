/** An abort at every moment of an acquisition of permits: whatever it meets, nothing is left behind. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AcquireOptions, Locks } from 'latchkey/locks'
import { model } from '../support/model.js'
import type { Fates } from '../support/model-driver.js'

interface Course {
  readonly queues?: boolean
  /** Others have these for the first so many milliseconds. */
  readonly held?: Readonly<Record<string, number>>
  readonly fates?: Fates
  readonly acquire: (locks: Locks, options: AcquireOptions) => Promise<{ release(): Promise<unknown> }>
}

const plain: Fates = () => undefined
const single: Course['acquire'] = (locks, options) => locks.semaphore('a', { permits: 3 }).acquire(options)
const both: Course['acquire'] = (locks, options) =>
  locks.semaphore('a', { permits: 3 }).acquire({ ...options, permits: 2 })
const write: Course['acquire'] = (locks, options) => locks.readWrite('a', { readers: 3 }).write(options)
const full = { 'a/0': 100, 'a/1': 120, 'a/2': 140 }

const courses: Record<string, Course> = {
  'a free permit': { acquire: single },
  'a gate that is held': { held: { 'a/gate': 80 }, acquire: single },
  'a full semaphore with a queue': { queues: true, held: full, acquire: single },
  'a full semaphore without': { held: full, acquire: single },
  'a queue at the gate and then at the permits': { queues: true, held: { 'a/gate': 50, ...full }, acquire: single },
  'several permits': { queues: true, held: full, acquire: both },
  'several permits, polling': { held: full, acquire: both },
  'a writer behind readers': { queues: true, held: { 'a/read/0': 50, 'a/read/2': 90 }, acquire: write },
  'a writer behind a reader, polling': { held: { 'a/read/1': 50 }, acquire: write },
  'lost replies': {
    queues: true,
    held: { 'a/read/1': 50 },
    fates: (kind, nth) => (kind === 'claim' && nth % 2 === 0 ? { loss: 'reply' } : undefined),
    acquire: write,
  },
}

/** Aborts at the nth moment; false when the acquisition had fewer. */
async function abortAt(nth: number, { queues = false, held = {}, fates = plain, acquire }: Course): Promise<boolean> {
  const controller = new AbortController()
  const reason = new Error('aborted')
  let steps = -1
  let watching = false
  const step = () => {
    if (watching && ++steps === nth) controller.abort(reason)
  }
  const { time, server, driver, locks } = model({ queues, step, locks: { deadlineMs: 300 } })
  for (const [name, ms] of Object.entries(held)) {
    const key = `latchkey:lock:${name}`
    const { version } = server.add(key, { owner: 'other' }, 1e9)!
    time.timer(ms, () => server.remove(key, version))
  }
  driver.fates = fates
  watching = true
  // A lease of a day, so that its end hides nothing.
  const acquiring = acquire(locks, { ttl: '1d', wait: '1m', signal: controller.signal })
  const result = await time.settled(acquiring).catch((error: Error) => error)
  watching = false
  const aborted = steps >= nth
  if (result instanceof Error) assert.equal(result, reason)
  else assert.equal(await time.settled(result.release()), 'released')
  if (!aborted) assert.ok(!(result instanceof Error), `not acquired: ${result}`)
  driver.fates = plain
  await time.advance(20_000)
  assert.deepEqual(server.keys(), [], `left behind after an abort at step ${nth}`)
  const waiters = ['gate', 'write', '0', '1', '2', 'read/0', 'read/1', 'read/2'].map((name) =>
    server.waiters(`latchkey:lock:a/${name}`),
  )
  assert.deepEqual(new Set(waiters), new Set([0]))
  return aborted
}

for (const [name, course] of Object.entries(courses)) {
  test(`an abort at any moment leaves nothing behind: ${name}`, async () => {
    let moments = 0
    while (await abortAt(moments, course)) moments++
    assert.ok(moments >= 8, `${moments} moments`)
  })
}
