/** Waits for keys that go from hand to hand, beside the thread's other operations. */
import { setImmediate as tick } from 'node:timers/promises'
import { StoreLockTimeoutError } from 'latchkey/store'
import { type Hands, raise } from './hands.js'
import { briefKey, Cell, Lane, laneAt, TURN_KEYS, turnKey } from './job.js'

const WAIT_MS = 600_000
const BRIEF_MS = 20

export class Turns {
  readonly #hands: Hands

  constructor(hands: Hands) {
    this.#hands = hands
  }

  /** Until all are told to stop: then everybody lets go, so that everybody has his turn. */
  async run(): Promise<void> {
    const { job, random } = this.#hands
    while (Atomics.load(job.cells, Cell.Stop) === 0) {
      if (random.below(4) === 0) await this.#brief(random.below(TURN_KEYS))
      else await this.#lasting(random.below(TURN_KEYS))
      await tick()
    }
  }

  /** Nobody else holds the key between the grant and the moment it is let go: it has no end of its own. */
  async #lasting(i: number): Promise<void> {
    const { holders, birth } = this.#hands.job
    const cas = await this.#claim(turnKey(i), 0)
    if (cas === undefined) return
    const holder = Atomics.compareExchange(holders, i, 0, birth)
    if (holder !== 0) this.#hands.complain(`turn ${i} was given while thread ${holder} held it`)
    await tick()
    Atomics.compareExchange(holders, i, birth, 0)
    this.#letGo(turnKey(i).key, cas)
  }

  /** The key passes on when it expires. */
  async #brief(i: number): Promise<void> {
    const { random } = this.#hands
    const cas = await this.#claim(briefKey(i), 1 + random.below(BRIEF_MS))
    if (cas !== undefined && random.below(2) === 0)
      this.#hands.attempt('hand-over', () => this.#hands.store.delete(briefKey(i).key, cas))
  }

  async #claim({ key, token }: { key: string; token: number }, ttlMs: number): Promise<bigint | undefined> {
    const { store, job } = this.#hands
    const before = Atomics.load(job.tokens, token)
    const waiting = this.#hands.attempt('claim, wait', () =>
      store.claimOrWait(key, String(job.birth), { ttlMs, waitMs: WAIT_MS }),
    )
    const claimed = await waiting?.catch((error: Error) => {
      if (error instanceof StoreLockTimeoutError) Atomics.add(job.cells, Cell.LockTimeouts, 1)
      else this.#hands.complain(String(error))
      return undefined
    })
    if (claimed === undefined) return undefined
    if (claimed.cas <= before) this.#hands.complain(`${key}: granted token ${claimed.cas} after ${before}`)
    raise(job.tokens, token, claimed.cas)
    Atomics.add(job.lanes, laneAt(job.lane, Lane.Grants), 1)
    return claimed.cas
  }

  #letGo(key: string, cas: bigint): void {
    for (;;) {
      // A lock that was not free in time has changed nothing.
      const deleted = this.#hands.attempt('hand-over', () => this.#hands.store.delete(key, cas))
      if (deleted === undefined) continue
      if (!deleted) this.#hands.complain(`${key} was gone while it was held`)
      return
    }
  }
}
