/**
 * Random schedules in virtual time: some clients, whose clocks drift, want one lock through a wire that loses and delays.
 * S1: no two believe at a time. S2: fences rise. S3: nobody's lock is taken by another's release. S4, L2: at the end it is free,
 * and was had often.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Lock, LockError } from 'latchkey/locks'
import { Random } from '../store/random.js'
import { chosenSeed } from '../support/seed.js'
import { type Model, model } from './support/model.js'
import type { Fate, Fates } from './support/model-driver.js'
import { ModelServer } from './support/model-server.js'
import { VirtualTime } from './support/virtual-time.js'

const KEY = 'latchkey:lock:a'
const SCHEDULES = process.env.LATCHKEY_SOAK === '1' ? 20_000 : 300
const RUN_MS = 10_000
/** Nothing is on its way for longer. */
const DELAY_MS = 4000
/** As far as the margin allows. */
const DRIFT = 0.0004

class Schedule {
  readonly time = new VirtualTime()
  readonly random: Random
  readonly server: ModelServer
  readonly clients: Model[]
  readonly held = new Set<Lock>()
  acquired = 0
  #lastFence = 0n
  #deedsSeen = 0

  constructor(seed: number) {
    this.random = new Random(seed)
    const granularityMs = this.random.pick([0, 0, 1000])
    const queues = this.random.below(2) === 0
    this.server = new ModelServer(this.time, granularityMs)
    const badness = this.random.pick([0, 5, 20, 40])
    const fates: Fates = () => this.#fate(badness)
    const { time, server } = this
    this.clients = Array.from({ length: 2 + this.random.below(3) }, (_, i) => {
      const rate = 1 + (this.random.below(3) - 1) * DRIFT
      return model({ time, server, queues, fates, rate, seed: seed + i, locks: { deadlineMs: 300 } })
    })
    time.afterStep = () => this.#check()
  }

  async run(): Promise<void> {
    const all = Promise.all(this.clients.map((client) => this.#live(client)))
    await this.time.settled(all)
    for (const { driver } of this.clients) driver.fates = () => undefined
    await this.time.advance(DELAY_MS + 10_000)
    assert.equal(this.server.get(KEY), undefined, 'S4: something was left')
  }

  #fate(badness: number): Fate {
    const { random } = this
    const delay = () => (random.below(100) < badness / 4 ? random.below(DELAY_MS) : 1 + random.below(20))
    const loss = random.below(100) < badness ? random.pick(['request', 'reply', 'drop', 'refused'] as const) : undefined
    return { requestMs: delay(), replyMs: delay(), loss }
  }

  async #live({ locks }: Model): Promise<void> {
    while (this.time.now() < RUN_MS) {
      await this.#once(locks).catch((error) => {
        if (!(error instanceof LockError) && error?.name !== 'AbortError') throw error
      })
      await this.#pass(this.random.below(100))
    }
  }

  async #once(locks: Model['locks']): Promise<void> {
    const { random } = this
    const aborting = new AbortController()
    if (random.below(4) === 0) this.time.timer(random.below(2000), () => aborting.abort())
    const ttl = this.server.granularityMs + random.pick([300, 1000, 3000])
    const options = { ttl, wait: random.pick([0, 200, 3000]), renew: random.below(4) > 0, signal: aborting.signal }
    const lock = await locks.acquire('a', options)
    this.#enter(lock)
    await this.#pass(random.below(random.pick([20, 500, 5000])))
    if (random.below(4) === 0) await lock.extend(this.server.granularityMs + random.pick([300, 3000])).catch(() => {})
    await this.#pass(random.below(200))
    await lock.release()
  }

  #enter(lock: Lock): void {
    this.acquired++
    this.held.add(lock)
    assert.ok(lock.fence > this.#lastFence, `S2: ${lock.fence} after ${this.#lastFence}`)
    this.#lastFence = lock.fence
    this.#check()
  }

  #check(): void {
    for (const lock of this.held) if (lock.remainingMs() === 0) this.held.delete(lock)
    assert.ok(this.held.size <= 1, `S1: ${this.held.size} believe that they hold at ${this.time.now()}`)
    for (; this.#deedsSeen < this.server.deeds.length; this.#deedsSeen++) {
      const { what, owner } = this.server.deeds[this.#deedsSeen]
      const victims = [...this.held].filter((lock) => lock.owner === owner)
      if (what === 'delete' || what === 'end') assert.equal(victims.length, 0, `S3: ${what} under a believing holder`)
    }
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.time.timer(ms, () => resolve()))
  }
}

test('no schedule breaks what a lock promises', async () => {
  const first = chosenSeed()
  let acquired = 0
  for (let i = 0; i < SCHEDULES; i++) {
    const schedule = new Schedule(first + i)
    await schedule.run().catch((error) => {
      throw new Error(`LATCHKEY_FUZZ_SEED=${first + i}: ${error.message}`, { cause: error })
    })
    acquired += schedule.acquired
  }
  assert.ok(acquired > SCHEDULES * 10, `L2: only ${acquired} acquisitions`)
})
