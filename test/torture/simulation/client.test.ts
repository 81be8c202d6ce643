/** The model of our client fails as `src/client` does: sessions, deadlines, reconnecting. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MetaReply } from 'latchkey/client'
import { Chance } from '#dist/torture/simulation/chance.js'
import { SimulatedWire } from '#dist/torture/simulation/clients/wire.js'
import { Machine } from '#dist/torture/simulation/machine.js'
import { Network } from '#dist/torture/simulation/network.js'
import { Host } from '#dist/torture/simulation/servers/host.js'
import { Latchkey } from '#dist/torture/simulation/servers/latchkey.js'
import { VirtualTime } from '#dist/torture/simulation/virtual-time.js'

const KEY = 'latchkey:lock:a'

function setUp() {
  const time = new VirtualTime()
  const state = { token: 1n, horizon: 0 }
  let starts = 0
  const host = new Host(
    0,
    time,
    () => new Latchkey(time, () => undefined, state, `${++starts}`),
    () => 0,
  )
  const network = new Network(time, 1, { delayOf: () => undefined, lossOf: () => undefined })
  const machine = new Machine(0, time, 1, { ran: () => undefined, killed: (dead) => network.lose(dead) })
  const chance = new Chance(1)
  let connections = 0
  const site = { network, machine, random: () => chance.unit(), nextId: () => ++connections }
  const wire = new SimulatedWire(site, [host])
  /** As seen by the participant. */
  const outcome = (asked: Promise<unknown>) =>
    time.settled(asked).then(
      () => 'answered',
      (error) => `${error.code}${error.sent === undefined ? '' : ` sent: ${error.sent}`}`,
    )
  const ask = (options = {}) => outcome(wire.meta('mg', KEY, ['v'], undefined, options))
  const waitFor = (waitMs: number, from = wire) =>
    from.meta('ms', KEY, ['ME', 'p5000', 'c', `w${waitMs}`], 'record', { deadlineMs: waitMs + 1000 })
  return { time, host, network, machine, wire, ask, outcome, waitFor }
}

test('a session is one connection: what is tied to one that has ended is not sent', async () => {
  const { time, host, wire, ask } = setUp()
  const session = await time.settled(wire.session(KEY))
  assert.deepEqual(wire.currentSession(KEY), session)
  assert.ok(session.latchkey)
  assert.equal(await ask({ session }), 'answered')
  await time.advance(100)
  host.restart(10)
  await time.advance(2000)
  assert.equal(await ask({ session }), 'SESSION_ENDED')
  assert.equal(await ask(), 'answered')
  assert.notEqual(wire.currentSession(KEY)!.id, session.id)
})

test('while a server is down requests fail at once, and it is connected to again by and by', async () => {
  const { time, host, ask } = setUp()
  assert.equal(await ask(), 'answered')
  host.restart(5000)
  await time.advance(100)
  const before = time.now()
  assert.equal(await ask(), 'SERVER_UNAVAILABLE')
  assert.equal(time.now(), before)
  await time.advance(6500)
  assert.equal(await ask(), 'answered')
})

test('a deadline tells whether the request was sent; a server that says nothing is left', async () => {
  const { time, host, wire, ask } = setUp()
  host.pause(60_000)
  assert.equal(await ask({ deadlineMs: 300 }), 'DEADLINE_EXCEEDED sent: false')
  const other = setUp()
  assert.equal(await other.ask(), 'answered')
  other.host.pause(60_000)
  assert.equal(await other.ask({ deadlineMs: 300 }), 'DEADLINE_EXCEEDED sent: true')
  assert.notEqual(other.wire.currentSession(KEY), undefined)
  await other.time.advance(1100)
  assert.equal(other.wire.currentSession(KEY), undefined)
  assert.equal(wire.currentSession(KEY), undefined)
  await time.advance(1)
})

test('what is under way when the connection is cut is lost, and nobody knows', async () => {
  const { time, network, wire, outcome, waitFor } = setUp()
  await time.settled(waitFor(0))
  const waiting = outcome(waitFor(3000))
  network.blip(0, 0, 100)
  assert.equal(await waiting, 'CONNECTION_LOST')
  assert.equal(wire.serverOf(KEY), 'server-0:11211')
})

test('an abort ends the waiting with its reason; what is aborted before is not sent', async () => {
  const { time, wire, outcome } = setUp()
  const aborting = new AbortController()
  const reason = Object.assign(new Error('enough'), { code: 'ENOUGH' })
  time.timer(0.05, () => aborting.abort(reason))
  const options = { signal: aborting.signal }
  assert.equal(await outcome(wire.meta('mg', KEY, ['v'], undefined, options)), 'ENOUGH')
  assert.equal(await outcome(wire.meta('mg', KEY, ['v'], undefined, options)), 'ENOUGH')
})

test('who hangs up is answered what it waited for, and leaves the queue', async () => {
  const { time, wire, waitFor } = setUp()
  await time.settled(waitFor(0))
  const other = wire.duplicate()
  const waiting = waitFor(10_000, other)
  await time.advance(100)
  const waiters = async () => (await time.settled(wire.meta('mg', KEY, ['w']))).flags
  assert.deepEqual(await waiters(), ['w1'])
  await time.settled(Promise.all([other.hangUp(), waiting.then(({ status }) => assert.equal(status, 'NS'))]))
  assert.deepEqual(await waiters(), ['w0'])
  await assert.rejects(time.settled(other.meta('mg', KEY, ['v'])), { code: 'CLIENT_CLOSED' })
})

test('waiters come in turn, with a life that begins then, and are told how long they waited', async () => {
  const { time, wire, waitFor } = setUp()
  const { flags } = await time.settled(waitFor(0))
  const waiting: Promise<MetaReply>[] = []
  for (const each of [wire.duplicate(), wire.duplicate()]) {
    waiting.push(waitFor(10_000, each))
    await time.advance(1000)
  }
  const token = flags.find((flag) => flag.startsWith('c'))!.slice(1)
  await time.settled(wire.delete(KEY, { cas: BigInt(token) }))
  const first = await time.settled(waiting[0])
  const waitedMs = Number(first.flags.find((flag) => flag.startsWith('w'))!.slice(1))
  assert.ok(waitedMs > 1900 && waitedMs < 2100, `${waitedMs}`)
  const since = time.now()
  assert.equal((await time.settled(waiting[1])).status, 'HD')
  assert.ok(time.now() - since > 4900, 'the lease of the first one was over too soon')
})
