/**
 * Random schedules in virtual time: some processes, whose clocks drift, want permits, or read and write, through a wire that loses and
 * delays. Never more believe than there are permits; nobody reads or writes beside a writer; fences rise from writer to writer; at the end
 * nothing is left, and much was done.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Lock, LockError, type LockGroup } from 'latchkey/locks'
import { Random } from '../../store/random.js'
import { chosenSeed } from '../../support/seed.js'
import { type Model, model } from '../support/model.js'
import type { Fate } from '../support/model-driver.js'
import { ModelServer } from '../support/model-server.js'
import { VirtualTime } from '../support/virtual-time.js'

const SCHEDULES = process.env.LATCHKEY_SOAK === '1' ? 5000 : 25
const RUN_MS = 10_000
const DELAY_MS = 4000
const DRIFT = 0.0004
const PERMITS = 3

type Held = Pick<Lock | LockGroup, 'remainingMs'>
interface Belief {
  readonly held: Held
  readonly weight: number
}

class Schedule {
  readonly time = new VirtualTime()
  readonly random: Random
  readonly server: ModelServer
  readonly clients: Model[]
  readonly #beliefs = new Set<Belief>()
  readonly #writes: boolean
  #lastFence = 0n
  acquired = 0

  /** `writes`: a read-write lock, where a writer weighs as much as all readers. */
  constructor(seed: number, writes: boolean) {
    this.random = new Random(seed)
    this.#writes = writes
    const granularityMs = this.random.pick([0, 0, 1000])
    const queues = this.random.below(2) === 0
    const badness = this.random.pick([0, 5, 20, 40])
    this.server = new ModelServer(this.time, granularityMs)
    const { time, server } = this
    this.clients = Array.from({ length: 3 + this.random.below(4) }, (_, i) => {
      const rate = 1 + (this.random.below(3) - 1) * DRIFT
      const fates = () => this.#fate(badness)
      return model({ time, server, queues, fates, rate, seed: seed + i, locks: { deadlineMs: 300 } })
    })
    time.afterStep = () => this.#check()
  }

  async run(): Promise<void> {
    await this.time.settled(Promise.all(this.clients.map((client) => this.#live(client))))
    for (const { driver } of this.clients) driver.fates = () => undefined
    await this.time.advance(DELAY_MS + 20_000)
    assert.deepEqual(this.server.keys(), [], 'something was left')
  }

  #fate(badness: number): Fate {
    const { random } = this
    const delay = () => (random.below(100) < badness / 4 ? random.below(DELAY_MS) : 1 + random.below(20))
    const loss = random.below(100) < badness ? random.pick(['request', 'reply', 'drop', 'refused'] as const) : undefined
    return { requestMs: delay(), replyMs: delay(), loss }
  }

  async #live(client: Model): Promise<void> {
    while (this.time.now() < RUN_MS) {
      await this.#once(client).catch((error) => {
        if (!(error instanceof LockError) && error?.name !== 'AbortError') throw error
      })
      await this.#pass(this.random.below(100))
    }
  }

  async #once(client: Model): Promise<void> {
    const { random } = this
    const aborting = new AbortController()
    if (random.below(4) === 0) this.time.timer(random.below(2000), () => aborting.abort())
    // Now and then an operator, or a bug, takes away what somebody is waiting with.
    if (random.below(20) === 0) this.time.timer(random.below(2000), () => this.#strike())
    const ttl = this.server.granularityMs + random.pick([300, 1000, 3000])
    const wait = random.pick([0, 200, 3000])
    const options = { ttl, wait, renew: random.below(4) > 0, signal: aborting.signal }
    const lock = await (this.#writes ? this.#access(client, options) : this.#permits(client, options))
    assert.ok(lock.remainingMs() >= ttl / 3, `${lock.remainingMs()} of ${ttl} ms are left`)
    await this.#pass(random.below(random.pick([20, 500, 5000])))
    await lock.release()
  }

  async #permits({ locks }: Model, options: object): Promise<Lock | LockGroup> {
    const semaphore = locks.semaphore('a', { permits: PERMITS })
    const permits = this.random.below(5) - 1
    if (permits < 1) return this.#enter(await semaphore.acquire(options), 1)
    return this.#enter(
      await semaphore.acquire({ ...options, permits: Math.min(permits, PERMITS) }),
      Math.min(permits, PERMITS),
    )
  }

  async #access({ locks }: Model, options: object): Promise<Lock | LockGroup> {
    const lock = locks.readWrite('a', { readers: PERMITS })
    if (this.random.below(2) === 0) return this.#enter(await lock.read(options), 1)
    const write = await lock.write(options)
    assert.ok(write.fence > this.#lastFence, `fence ${write.fence} after ${this.#lastFence}`)
    this.#lastFence = write.fence
    return this.#enter(write, PERMITS)
  }

  #enter<T extends Held>(held: T, weight: number): T {
    this.acquired++
    this.#beliefs.add({ held, weight })
    this.#check()
    return held
  }

  #check(): void {
    let weight = 0
    for (const belief of this.#beliefs) {
      if (belief.held.remainingMs() === 0) this.#beliefs.delete(belief)
      else weight += belief.weight
    }
    assert.ok(weight <= PERMITS, `${weight} of ${PERMITS} at ${this.time.now()}`)
  }

  /** Only the gate: who is deprived of a permit could not know before its next renewal. */
  #strike(): void {
    const key = this.server.keys().find((each) => each.endsWith('/gate'))
    if (key !== undefined) this.server.remove(key, this.server.get(key)!.version)
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.time.timer(ms, () => resolve()))
  }
}

for (const writes of [false, true]) {
  test(`no schedule breaks what ${writes ? 'a read-write lock' : 'a semaphore'} promises`, async () => {
    const first = chosenSeed()
    let acquired = 0
    for (let i = 0; i < SCHEDULES; i++) {
      const schedule = new Schedule(first + i, writes)
      await schedule.run().catch((error) => {
        throw new Error(`LATCHKEY_FUZZ_SEED=${first + i}: ${error.message}`, { cause: error })
      })
      acquired += schedule.acquired
    }
    assert.ok(acquired > SCHEDULES * 10, `only ${acquired} acquisitions`)
  })
}
