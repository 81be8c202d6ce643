/** Who leads, as observers see it, in virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Found, LockInfo } from 'latchkey/locks'
import { type Model, model } from '../support/model.js'
import { KEY } from './candidates.js'

/** Notes all that is yielded until the end. */
function watched({ time, locks }: Model, signal?: AbortSignal): { seen: string[]; ended: Promise<void> } {
  const seen: string[] = []
  const watch = async () => {
    const leaders = locks.observe('boss', signal === undefined ? {} : { signal })
    for await (const leader of leaders) seen.push(told(leader))
  }
  assert.ok(time.now() >= 0)
  return { seen, ended: watch() }
}

const told = (leader: LockInfo | undefined) => (leader === undefined ? 'nobody' : `${leader.label} ${leader.fence}`)

const foundOf = (owner: string, fence: bigint | undefined): Found => ({
  ...{ key: KEY, holder: { owner, label: owner }, fence, version: 1n, leftMs: undefined, waiters: undefined },
})

test('each change is seen, once', async () => {
  const here = model({ queues: true })
  const { time, locks } = here
  const { seen } = watched(here)
  await time.advance(2000)
  const first = await time.settled(locks.campaign('boss', { label: 'one' }))
  const second = locks.campaign('boss', { label: 'two' })
  await time.advance(60_000)
  await time.settled(first.resign())
  await time.advance(2000)
  await time.settled((await second).resign())
  await time.advance(2000)
  assert.deepEqual(seen, ['nobody', 'one 1001', `two ${(await second).fence}`, 'nobody'])
})

test('an older fence after a newer one, and one who has no fence yet, are not seen', async () => {
  const here = model()
  const { time, driver } = here
  let found: Found | undefined = foundOf('b', 7n)
  driver.find = async () => found
  const { seen } = watched(here)
  const answers = [foundOf('a', 6n), foundOf('c', undefined), foundOf('b', 7n), undefined, foundOf('a', 6n)]
  for (const answer of [...answers, foundOf('c', 8n), foundOf('c', 9n)]) {
    await time.advance(1001)
    found = answer
  }
  await time.advance(1001)
  assert.deepEqual(seen, ['b 7', 'nobody', 'c 8'])
})

test('a server that does not answer is no change, and is asked again, at random intervals', async () => {
  let away = false
  const here = model({ fates: () => (away ? { loss: 'refused' } : undefined) })
  const { time, locks, driver } = here
  const { seen } = watched(here)
  await time.settled(locks.campaign('boss', { label: 'one' }))
  await time.advance(2000)
  away = true
  const before = driver.asked.find
  await time.advance(60_000)
  const asked = driver.asked.find - before
  assert.ok(asked >= 60 && asked <= 120, `asked ${asked} times in a minute`)
  assert.deepEqual(seen, ['nobody', 'one 1001'])
  away = false
  // The lease was lost meanwhile.
  await time.advance(2000)
  assert.deepEqual(seen, ['nobody', 'one 1001', 'nobody'])
})

test('it ends with its signal, and when the locks are closed; what is wrong for good is thrown', async () => {
  const controller = new AbortController()
  const here = model()
  const first = watched(here, controller.signal)
  const second = watched(here)
  await here.time.advance(100)
  controller.abort()
  await here.time.settled(first.ended)
  await here.time.settled(here.locks.close())
  await here.time.settled(second.ended)
  assert.deepEqual([first.seen, second.seen], [['nobody'], ['nobody']])
  const broken = model()
  broken.driver.find = () => Promise.reject(new TypeError('broken'))
  await assert.rejects(broken.time.settled(watched(broken).ended), TypeError)
})

test('who comes late sees the last change', async () => {
  const { time, locks } = model({ queues: true })
  const leaders = locks.observe('boss')
  assert.equal((await time.settled(leaders.next())).value, undefined)
  const first = await time.settled(locks.campaign('boss'))
  await time.settled(first.resign())
  const second = await time.settled(locks.campaign('boss'))
  const next = await time.settled(leaders.next())
  assert.equal((next.value as LockInfo).owner, second.owner)
  await leaders.return()
})
