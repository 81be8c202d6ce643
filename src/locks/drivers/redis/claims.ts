/** Taking a lock, at once or when its turn has come. */
import type { Call, Claim, ClaimResult } from '../../driver.js'
import { LockUnavailableError, OutcomeUnknownError } from '../../errors.js'
import { lifeMs } from '../life.js'
import { encodeRecord } from '../record.js'
import { foundOf } from './found.js'
import { Inbox } from './inbox.js'
import type { Link } from './link.js'
import { CLAIM, LEAVE, queueOf, RELEASE, SERVER_KEY } from './scripts.js'

/**
 * Who waits asks again, whatever it was told: nobody tells of a lock that was deleted by hand, nor of a turn that was not taken. The first
 * in the queue does after a second, each of the others half a second later.
 */
const FIRST_ASKS_MS = 1000
const NEXT_ASKS_MS = 500
const LAST_ASKS_MS = 20_000
/** When a lease ends by itself, all who wait see it. The first one asks at once, each of the others so much later. */
const PLACE_MS = 50
/** PTTL, where there is no key. */
const ABSENT = -2
/** Stands in a record for the fence that Redis gives it. */
const TO_BE_GIVEN = 0n

/** For telling Redis that a turn came too late. */
const STRAYED_MS = 1000

type Reply = [status: 'held' | 'busy' | 'new', ...rest: (string | number)[]]

interface Asked {
  readonly result: ClaimResult
  /** When to ask again if nothing is heard. */
  readonly againMs: number
}

export class Claims {
  readonly #link: Link
  readonly #inbox: Inbox

  constructor(link: Link) {
    this.#link = link
    this.#inbox = new Inbox(link, (owner, key) => this.#leave(key, `${owner} ${this.#inbox.channel}`, STRAYED_MS))
  }

  /** `graceMs`: for how long a Redis that is new gives nothing. Rejects as a driver does. */
  async claim(claim: Claim, graceMs: number, call: Call): Promise<ClaimResult> {
    if (claim.waitMs >= 1) return this.#wait(claim, graceMs, call)
    const { result } = await this.#ask(claim, graceMs, call, '')
    return call.signal?.aborted ? this.#giveBack(result, call) : result
  }

  close(): void {
    this.#inbox.close()
  }

  /** Asks whenever there is a reason to, until it is held or the time is over. */
  async #wait(claim: Claim, graceMs: number, call: Call): Promise<ClaimResult> {
    const { owner } = claim.holder
    const member = `${owner} ${this.#inbox.channel}`
    const waiter = this.#inbox.enter(owner)
    let isIn = false
    try {
      const until = call.clock.now() + claim.waitMs
      for (;;) {
        // Who cannot be told of a turn does not stand in the queue, and asks again and again.
        const hears = await this.#inbox.hears(claim.name, call)
        const { result, againMs } = await this.#ask(claim, graceMs, call, hears ? member : '')
        isIn ||= hears
        if (result.status === 'held') isIn = false
        else if (hears) call.onQueued?.()
        if (call.signal?.aborted) return await this.#giveBack(result, call)
        const leftMs = until - call.clock.now()
        if (result.status === 'held' || !hears) return result
        if (leftMs <= 0) return { ...result, queued: true }
        await waiter.sleep(Math.min(againMs, leftMs), call.signal)
      }
    } finally {
      this.#inbox.leave(owner)
      if (isIn) await this.#leave(claim.key, member, call.deadlineMs)
    }
  }

  /** `member`: who stands in the queue if it is not free; empty for nobody. */
  async #ask(claim: Claim, graceMs: number, call: Call, member: string): Promise<Asked> {
    const { key, name, holder, ttlMs, guarantee } = claim
    const record = encodeRecord(holder, guarantee === 'fenced' ? TO_BE_GIVEN : 'none')
    const from = call.clock.now()
    const args = [record, `${lifeMs(ttlMs)}`, `${graceMs}`, member]
    const keys = [key, queueOf(key), SERVER_KEY]
    const reply = await this.#link.run(CLAIM, keys, args, { lock: name, effect: 'changes', call })
    const [status, ...rest] = reply as Reply
    if (status === 'new') {
      const why =
        'Redis has restarted, was flushed or has taken over less than maxLease ago, and may have forgotten who holds it'
      throw new LockUnavailableError(name, why, { retryAfterMs: Number(rest[0]) })
    }
    const [text, version, leftMs, waiters, place] = rest as [string, string, number, number, number]
    if (status === 'held') {
      const { fence } = foundOf(key, text, version, ttlMs, 0)
      const lease = { key, name, holder, guarantee, fence, version, from, granularityMs: 0 }
      return { result: { status, lease }, againMs: 0 }
    }
    const found = leftMs === ABSENT ? undefined : foundOf(key, text, version, leftMs, waiters)
    return { result: { status: 'busy', found, queued: false }, againMs: againMs(leftMs, place) }
  }

  /** What came after all is given back. Rejects with the abort's reason, or when that cannot be told. */
  async #giveBack(result: ClaimResult, call: Call): Promise<never> {
    if (result.status === 'held') {
      const { key, version } = result.lease
      const given = { lock: key, effect: 'changes', call: { ...call, signal: undefined } } as const
      await this.#link.run(RELEASE, [key, queueOf(key)], [`${version}`], given).catch(() => {
        throw new OutcomeUnknownError(call.signal?.reason)
      })
    }
    throw call.signal?.reason
  }

  /** If that does not arrive, the turn will stray, or nobody hears of it. */
  async #leave(key: string, member: string, deadlineMs: number): Promise<void> {
    const call = { clock: performance, deadlineMs }
    await this.#link.run(LEAVE, [key, queueOf(key)], [member], { lock: key, effect: 'changes', call }).catch(() => {})
  }
}

/** A lease that ends by itself tells nobody. */
function againMs(leftMs: number, place: number): number {
  const mostMs = Math.min(FIRST_ASKS_MS + place * NEXT_ASKS_MS, LAST_ASKS_MS)
  return leftMs < 0 ? mostMs : Math.min(leftMs + 1 + place * PLACE_MS, mostMs)
}
