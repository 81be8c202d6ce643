/** Barriers: nobody passes before all are there, whatever is lost, delayed, given up or forgotten. In virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ArrivalTimeoutError,
  createLocks,
  LockAmbiguousError,
  LockArgumentError,
  LockUnavailableError,
  quorum,
} from 'latchkey/locks'
import { Random } from '../../store/random.js'
import { chosenSeed } from '../../support/seed.js'
import { type Model, model } from '../support/model.js'
import type { Fate } from '../support/model-driver.js'
import { ModelServer } from '../support/model-server.js'
import { VirtualTime } from '../support/virtual-time.js'
import { cutOff, machines, reconnect } from './machines.js'

const KEY = 'latchkey:lock:barrier:start'
const SCHEDULES = process.env.LATCHKEY_SOAK === '1' ? 2000 : 25
const RUN_MS = 20_000

const barrierOf = ({ locks }: Model, parties: number) => locks.barrier('start', { parties })

test('all wait for the last one, again and again', async () => {
  const { time, machines: all } = machines({}, {}, {})
  const barriers = all.map((one) => barrierOf(one, 3))
  for (let generation = 0; generation < 3; generation++) {
    const early = Promise.all([barriers[0].wait(), barriers[1].wait()])
    assert.equal(await time.within(early, 5000), false)
    const late = barriers[2].wait()
    assert.deepEqual(await time.settled(Promise.all([early, late])), [[generation, generation], generation])
  }
})

test('waiting asks again and again, at most a quarter of a second apart, and takes no lock', async () => {
  const { time, machines: all } = machines({}, {})
  const waiting = barrierOf(all[0], 2).wait()
  await time.advance(60_000)
  const { read, claim, swap } = all[0].driver.asked
  assert.ok(read > 240 && read < 1500, `${read} reads in a minute`)
  assert.deepEqual([claim, swap], [0, 1])
  await time.settled(Promise.all([waiting, barrierOf(all[1], 2).wait()]))
})

test('whoever gives up takes its arrival back', async () => {
  const { time, machines: all } = machines({}, {})
  const late = await time.settled(
    barrierOf(all[0], 2)
      .wait({ wait: 1000 })
      .catch((error) => error),
  )
  assert.ok(late instanceof ArrivalTimeoutError)
  assert.deepEqual([late.code, late.missing], ['LOCK_ARRIVAL_TIMEOUT', 1])
  const giveUp = new AbortController()
  const aborted = barrierOf(all[0], 2).wait({ signal: giveUp.signal })
  await time.advance(1000)
  giveUp.abort(new Error('enough'))
  await assert.rejects(time.settled(aborted), /enough/)
  const other = barrierOf(all[1], 2).wait()
  assert.equal(await time.within(other, 10_000), false)
  await time.settled(Promise.all([other, barrierOf(all[0], 2).wait()]))
})

test('whoever gives up when it has opened already has passed', async () => {
  const { time, machines: all } = machines({}, {})
  const giveUp = new AbortController()
  const first = barrierOf(all[0], 2).wait({ signal: giveUp.signal })
  await time.advance(1000)
  all[0].driver.fates = (kind) => (kind === 'read' ? { requestMs: 500 } : undefined)
  await time.settled(barrierOf(all[1], 2).wait())
  giveUp.abort(new Error('too late'))
  assert.equal(await time.settled(first), 0)
})

test('an arrival that is given up on its way does not count when it comes at last', async () => {
  for (const loss of ['request', undefined] as const) {
    const { time, server, machines: all } = machines({}, {})
    const giveUp = new AbortController()
    all[0].driver.fates = (kind, nth) => (kind === 'swap' && nth === 1 ? { requestMs: 5000, loss } : undefined)
    const first = barrierOf(all[0], 2).wait({ signal: giveUp.signal })
    await time.advance(10)
    giveUp.abort(new Error('enough'))
    await assert.rejects(time.settled(first), /enough/)
    await time.advance(10_000)
    const { arrived } = JSON.parse(server.register(KEY)!.value)
    assert.equal(arrived, '')
  }
})

test('a taking back whose own request is lost is asked for again', async () => {
  const { time, server, machines: all } = machines({})
  const giveUp = new AbortController()
  all[0].driver.fates = (kind, nth) =>
    kind !== 'swap' ? undefined : nth === 1 ? { requestMs: 5000 } : nth === 2 ? { loss: 'request' } : undefined
  const waiting = barrierOf(all[0], 2).wait({ signal: giveUp.signal })
  await time.advance(10)
  giveUp.abort(new Error('enough'))
  await assert.rejects(time.settled(waiting), /enough/)
  await time.advance(10_000)
  assert.equal(JSON.parse(server.register(KEY)!.value).arrived, '')
})

test('a party that died and is started again takes its own place, under its id', async () => {
  const { time, machines: all } = machines({}, {}, {})
  const [a, again, b] = all
  void barrierOf(a, 2)
    .wait({ id: 'a' })
    .catch(() => {})
  await time.advance(1000)
  cutOff(a)
  const second = barrierOf(again, 2).wait({ id: 'a' })
  assert.equal(await time.within(second, 10_000), false)
  await time.settled(Promise.all([second, barrierOf(b, 2).wait({ id: 'b' })]))
})

test('an id that waits twice is one party, and neither pushes the other out again and again', async () => {
  const { time, machines: all } = machines({}, {}, {})
  const [first, second, b] = all
  const waits = [first, second].map((one) => barrierOf(one, 2).wait({ id: 'a' }))
  assert.equal(await time.within(Promise.race(waits), 5000), false)
  assert.deepEqual(await time.settled(Promise.all([...waits, barrierOf(b, 2).wait({ id: 'b' })])), [0, 0, 0])
  assert.ok(first.driver.asked.swap + second.driver.asked.swap <= 3)
})

test('an arrival that is thought lost, and opens it after all, is known for what it was', async () => {
  const { time, machines: all } = machines({}, {})
  const early = barrierOf(all[1], 2).wait()
  await time.advance(100)
  all[0].driver.fates = (kind, nth) => (kind === 'swap' && nth <= 2 ? { requestMs: nth === 1 ? 1500 : 900 } : undefined)
  const last = barrierOf(all[0], 2).wait()
  assert.equal(await time.within(last, 10_000), true)
  assert.deepEqual(await Promise.all([early, last]), [0, 0])
  assert.equal(all[0].driver.asked.swap, 2)
})

test('a lost reply is looked up: nobody counts twice, and who opened it knows', async () => {
  for (const loss of ['request', 'reply', 'drop'] as const) {
    const { time, machines: all } = machines({}, {})
    for (const { driver } of all) driver.fates = (kind, nth) => (kind === 'swap' && nth === 1 ? { loss } : undefined)
    const first = barrierOf(all[0], 2).wait()
    assert.equal(await time.within(first, 30_000), false, loss)
    assert.deepEqual(await time.settled(Promise.all([first, barrierOf(all[1], 2).wait()])), [0, 0])
  }
})

test('who cannot know whether it was counted says so', async () => {
  const { time, machines: all } = machines({}, {}, {})
  const [a, b, c] = all
  // Its arrival is done, and then it hears nothing while others, more than there should be, open it once more.
  a.driver.fates = (kind, nth) =>
    kind === 'swap' ? { loss: 'reply' } : kind === 'read' && nth > 1 ? { loss: 'request' } : undefined
  const first = barrierOf(a, 2).wait()
  first.catch(() => {})
  await time.advance(3000)
  await time.settled(barrierOf(b, 2).wait())
  await time.settled(Promise.all([barrierOf(b, 2).wait(), barrierOf(c, 2).wait()]))
  reconnect(a)
  await assert.rejects(time.settled(first), LockAmbiguousError)
})

test('who was surely not counted, since others have opened it meanwhile, arrives for the next time, and again', async () => {
  const { time, machines: all } = machines({}, {}, {})
  const [a, b, c] = all
  a.driver.fates = (kind, nth) => (kind !== 'swap' ? undefined : nth === 1 ? { loss: 'request' } : { requestMs: 500 })
  const open = () => time.settled(Promise.all([barrierOf(b, 2).wait(), barrierOf(c, 2).wait()]))
  await open()
  const waiting = barrierOf(a, 2).wait()
  await open()
  await time.advance(1300 - time.now())
  assert.equal(a.driver.asked.swap, 2)
  await open()
  await time.advance(5000)
  reconnect(a)
  assert.deepEqual(await time.settled(Promise.all([waiting, barrierOf(b, 2).wait()])), [3, 3])
})

test('a barrier that was forgotten and opened by others has not opened for who waited before', async () => {
  const { time, server, machines: all } = machines({}, {}, {})
  const [a, b, c] = all
  const early = barrierOf(a, 2).wait()
  await time.advance(1000)
  a.driver.fates = () => ({ requestMs: 900 })
  await time.advance(1)
  server.forgetRegister(KEY)
  await time.settled(Promise.all([barrierOf(b, 2).wait(), barrierOf(c, 2).wait()]))
  reconnect(a)
  assert.equal(await time.within(early, 5000), false)
  assert.deepEqual(await time.settled(Promise.all([early, barrierOf(b, 2).wait()])), [1, 1])
})

test('what the server has forgotten is begun again by those who wait', async () => {
  const { time, server, machines: all } = machines({}, {}, {})
  const early = [barrierOf(all[0], 3).wait(), barrierOf(all[1], 3).wait()]
  await time.advance(1000)
  server.forgetRegister(KEY)
  await time.advance(1000)
  assert.deepEqual(await time.settled(Promise.all([...early, barrierOf(all[2], 3).wait()])), [0, 0, 0])
})

test('a server that is away is waited for; when patience is over it is told', async () => {
  const { time, machines: all } = machines({}, {})
  const [a, b] = all
  a.driver.fates = () => ({ loss: 'refused' })
  await assert.rejects(time.settled(barrierOf(a, 2).wait({ wait: 5000 })), LockUnavailableError)
  a.driver.fates = (kind) => (kind === 'swap' ? { loss: 'refused' } : undefined)
  await assert.rejects(time.settled(barrierOf(a, 2).wait({ wait: 5000 })), LockUnavailableError)
  a.driver.fates = () => ({ loss: 'refused' })
  const waiting = barrierOf(a, 2).wait()
  await time.advance(60_000)
  reconnect(a)
  await time.settled(Promise.all([waiting, barrierOf(b, 2).wait()]))
  const cut = barrierOf(a, 2).wait({ wait: 5000 })
  await time.advance(100)
  cutOff(a)
  await assert.rejects(time.settled(cut), LockAmbiguousError)
})

test('closing the locks ends the waiting, and takes the arrival back before', async () => {
  const { time, server, machines: all } = machines({})
  const waiting = barrierOf(all[0], 2).wait()
  waiting.catch(() => {})
  await time.advance(1000)
  await time.settled(all[0].locks.close())
  await assert.rejects(waiting, LockUnavailableError)
  assert.equal(JSON.parse(server.register(KEY)!.value).arrived, '')
  await assert.rejects(barrierOf(all[0], 2).wait(), LockUnavailableError)
})

test('input that is none, another number of parties, and what is no barrier, are refused', async () => {
  const { time, server, machines: all } = machines({})
  const { locks } = all[0]
  assert.throws(() => locks.barrier('start', { parties: 101 }), /parties is a whole number from 1 to 100/)
  assert.throws(() => locks.barrier('start', { parties: 2, ttl: 1 }), /ttl/)
  assert.throws(() => locks.barrier('a b', { parties: 2 }), /no spaces/)
  await assert.rejects(barrierOf(all[0], 2).wait({ id: '' }), /not empty/)
  await assert.rejects(barrierOf(all[0], 2).wait({ wai: 1 } as never), /no option wai/)
  assert.equal(server.register(KEY), undefined)
  assert.equal(await time.settled(barrierOf(all[0], 1).wait()), 0)
  const refused = (error: unknown) => error instanceof LockArgumentError && /for 1 parties/.test(error.message)
  await assert.rejects(time.settled(barrierOf(all[0], 2).wait()), refused)
  server.forgetRegister(KEY)
  server.swapRegister(KEY, 'mine', undefined)
  await assert.rejects(time.settled(barrierOf(all[0], 2).wait({ wait: 0 })), LockUnavailableError)
  await using none = createLocks(quorum({ servers: ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3'] }))
  assert.throws(() => none.barrier('start', { parties: 2 }), /driver quorum has none/)
})

test('a hundred parties have room', async () => {
  const { time, server, machines: all } = machines({})
  const arriving = async (count: number) => {
    const waits: Promise<number>[] = []
    for (let i = 0; i < count; i++) {
      waits.push(barrierOf(all[0], 100).wait())
      await time.advance(5)
    }
    return waits
  }
  assert.deepEqual(await time.settled(Promise.all(await arriving(100))), Array(100).fill(0))
  const again = await arriving(99)
  const { arrived, passed } = JSON.parse(server.register(KEY)!.value)
  assert.deepEqual([arrived.length, passed.length], [99 * 20, 100 * 10])
  assert.ok(Buffer.byteLength(server.register(KEY)!.value) <= 4096)
  await time.settled(Promise.all([...again, ...(await arriving(1))]))
})

/** Parties that wait for each other again and again, give up at any time, and are told lies by the network. */
class Storm {
  readonly time = new VirtualTime()
  readonly server = new ModelServer(this.time)
  readonly random: Random
  readonly parties: Party[]

  constructor(seed: number) {
    this.random = new Random(seed)
    const count = 2 + this.random.below(4)
    const badness = this.random.pick([0, 10, 30])
    this.parties = Array.from({ length: count }, (_, i) => {
      const { time, server } = this
      const fates = () => this.#fate(badness)
      return new Party(
        this,
        model({ time, server, fates, seed: seed + i, locks: { deadlineMs: 300 } }),
        count,
        seed + i,
      )
    })
  }

  /** How many generations there were. */
  async run(): Promise<number> {
    await this.time.settled(Promise.all(this.parties.map((party) => party.live())))
    return Math.max(...this.parties.map(({ passed }) => passed)) + 1
  }

  #fate(badness: number): Fate {
    const { random } = this
    const loss = random.below(100) < badness ? random.pick(['request', 'reply', 'drop', 'refused'] as const) : undefined
    const delay = () => (random.below(100) < badness / 3 ? random.below(3000) : 1 + random.below(20))
    return { requestMs: delay(), replyMs: delay(), loss }
  }
}

class Party {
  isWaiting = false
  passed = -1
  readonly #storm: Storm
  readonly #model: Model
  readonly #count: number
  readonly #id: string
  /** How often it could not tell whether it had been counted since it last passed. */
  #doubts = 0

  constructor(storm: Storm, one: Model, count: number, seed: number) {
    this.#storm = storm
    this.#model = one
    this.#count = count
    this.#id = `party ${seed}`
  }

  async live(): Promise<void> {
    while (this.#storm.time.now() < RUN_MS) {
      const generation = await this.#wait()
      if (generation === undefined) continue
      assert.ok(generation > this.passed, 'a generation was passed twice')
      assert.ok(generation <= this.passed + 1 + this.#doubts, 'a generation was left out')
      for (const party of this.#storm.parties) {
        assert.ok(party === this || party.isWaiting || party.passed >= generation, 'one passed before all were there')
      }
      this.passed = generation
      this.isWaiting = false
      this.#doubts = 0
    }
  }

  /** undefined: given up, and taken back. */
  async #wait(): Promise<number | undefined> {
    const { time, random } = this.#storm
    await new Promise<void>((resolve) => time.timer(random.below(500), resolve))
    const giveUp = new AbortController()
    const cancel = time.timer(random.below(20_000), () => giveUp.abort(new Error('enough')))
    const patience = random.below(3) === 0 ? { wait: random.below(5000) } : { signal: giveUp.signal }
    this.isWaiting = true
    try {
      return await barrierOf(this.#model, this.#count).wait({ ...patience, id: this.#id })
    } catch (error) {
      // Whether it counts, or all have passed, is not known: it has to be taken for waiting on.
      if (error instanceof LockAmbiguousError) this.#doubts++
      else if (this.#doubts === 0) this.isWaiting = false
      return undefined
    } finally {
      cancel()
    }
  }
}

test('under a storm of losses, delays and changes of mind, none passes before all are there', async () => {
  const seed = chosenSeed()
  let passed = 0
  for (let i = 0; i < SCHEDULES; i++) passed += await new Storm(seed + i).run()
  assert.ok(passed > SCHEDULES, `${passed} generations in ${SCHEDULES} schedules`)
})
