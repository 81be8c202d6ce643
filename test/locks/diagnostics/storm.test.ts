/** Each acquisition has one grant or error, and each grant one loss or release, whatever happens on the way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AcquireOptions, Lock } from 'latchkey/locks'
import { Random } from '../../store/random.js'
import { type Heard, hearLocks } from '../../support/hearing.js'
import { type Model, model } from '../support/model.js'

const NAMES = ['a', 'b', 'c', 'd']
const USERS = 12
const TURNS = 12

/** What users have seen of their locks themselves. */
interface Seen {
  readonly lock: Lock
  outcome: string | undefined
}

class Storm {
  readonly seen: Seen[] = []
  failed = 0
  readonly #model: Model
  readonly #random: Random

  constructor(model: Model, random: Random) {
    this.#model = model
    this.#random = random
  }

  async user(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) {
      try {
        if (this.#random.below(6) === 0) await this.#group()
        else await this.#one()
      } catch {
        this.failed++
      }
    }
  }

  async #one(): Promise<void> {
    const { locks } = this.#model
    const lock = await locks.acquire(this.#name(), this.#options())
    const seen: Seen = { lock, outcome: undefined }
    this.seen.push(seen)
    await this.#hold(lock)
    const dice = this.#random.below(10)
    if (dice === 0) return
    if (dice > 1) {
      seen.outcome = await lock.release()
      return
    }
    const text = lock.serialize({ detach: true })
    seen.outcome = 'detached'
    const again = await locks.restore(text)
    const restored: Seen = { lock: again, outcome: undefined }
    this.seen.push(restored)
    restored.outcome = await again.release()
  }

  async #group(): Promise<void> {
    const names = NAMES.filter(() => this.#random.below(2) === 0)
    const group = await this.#model.locks.acquire(names.length === 0 ? NAMES : names, this.#options())
    for (const lock of group.locks) this.seen.push({ lock, outcome: undefined })
    await this.#hold(group.locks[0])
    await group.release()
  }

  async #hold(lock: Lock): Promise<void> {
    await this.#sleep(this.#random.below(1500))
    const dice = this.#random.below(6)
    if (dice === 0) await lock.extend(500 + this.#random.below(1000))
    if (dice === 1) await this.#model.locks.forceRelease(this.#name())
    if (dice === 2) lock.assertHeld()
  }

  #options(): AcquireOptions {
    const { below } = { below: (n: number) => this.#random.below(n) }
    return {
      ttl: 1000,
      wait: below(3) * 1500,
      renew: below(4) > 0,
      maxHold: 4000,
      ...(below(4) === 0 && { signal: this.#abortedAfter(below(2000)) }),
    }
  }

  #abortedAfter(ms: number): AbortSignal {
    const controller = new AbortController()
    this.#model.time.timer(ms, () => controller.abort(new Error('enough')))
    return controller.signal
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#model.time.timer(ms, resolve))
  }

  #name(): string {
    return NAMES[this.#random.below(NAMES.length)]
  }
}

for (const seed of [1, 2, 3]) {
  test(`one end for each beginning, storm ${seed}`, async () => {
    const random = new Random(seed)
    const fates = () => {
      const dice = random.below(30)
      if (dice > 3) return undefined
      return { loss: (['request', 'reply', 'drop', 'refused'] as const)[dice] }
    }
    const own = model({ queues: seed % 2 === 0, fates, seed, locks: { deadlineMs: 300 } })
    using hearing = hearLocks()
    const storm = new Storm(own, random)
    await own.time.settled(Promise.all(Array.from({ length: USERS }, () => storm.user())))
    await own.time.settled(own.locks.close())
    check(hearing.heard, storm.seen)
  })
}

function check(heard: readonly Heard[], seen: readonly Seen[]): void {
  const lives = new Map<object, string[]>()
  for (const { channel, message } of heard) {
    const lock = channel === 'extend' ? (message as { lock: object }).lock : message
    const life = lives.get(lock) ?? []
    lives.set(lock, life)
    life.push(channel)
  }
  const failed = /^acquire( wait)? error$/
  const held = /^acquire( wait)? grant( extend)* (lost|release)$/
  const ends = new Map<string, Record<string, unknown>>()
  for (const [lock, life] of lives) {
    const whole = life.join(' ')
    assert.ok(failed.test(whole) || held.test(whole), whole)
    const { owner, ...event } = lock as { owner?: string }
    if (owner !== undefined)
      ends.set(`${owner} ${(event as { restored?: boolean }).restored}`, { end: life.at(-1), ...event })
  }
  const counts: Record<string, number> = {}
  for (const { lock, outcome } of seen) {
    const candidates = [false, true]
      .map((restored) => ends.get(`${lock.owner} ${restored}`))
      .filter((end) => end !== undefined)
    assert.ok(candidates.length > 0, 'a lock of which nobody has heard')
    if (lock.state === 'lost') assert.ok(candidates.some(({ end }) => end === 'lost'))
    else assert.ok(candidates.some((event) => event.end === 'release' && (outcome ?? event.outcome) === event.outcome))
  }
  for (const { end, outcome } of ends.values()) {
    const what = `${end} ${outcome ?? ''}`.trim()
    counts[what] = (counts[what] ?? 0) + 1
  }
  // A storm in which these do not happen shows nothing.
  for (const what of ['lost', 'release released', 'release detached', 'release lost'])
    assert.ok(counts[what] > 0, `${what}: ${JSON.stringify(counts)}`)
  assert.ok([...lives.values()].filter((life) => life.includes('error')).length > 10)
}
