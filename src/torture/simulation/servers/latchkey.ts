/**
 * Latchkey with a state directory: lives in whole milliseconds, tokens that never come again, locks that are never evicted and not
 * flushed, a queue for each key, and a grace after a restart.
 */
import type { Deed } from '../../history.js'
import type { VirtualTime } from '../virtual-time.js'
import { type Caller, type Item, ModelServer, type Note } from './model-server.js'
import { type Answer, clientError, EX, flagOf, NF, NS, type Request, serverError } from './request.js'

const PINNED = 'latchkey:lock:'
/** What registers are under, of fences and of what is built on locks: pinned, too, but no leases. */
const FENCE_REGISTER = 'latchkey:fence:'
const REGISTER = 'latchkey:register:'
/** The horizon is written so far beyond what is needed. */
const STEP_MS = 10_000
/** And so much more of it is waited for. */
const DRIFT_MS = 1000
/** Tokens that are skipped by a restart. */
const SKIPPED = 1_000_000n

/** What outlives the process. */
export interface LatchkeyState {
  token: bigint
  /** No lease that was given ends after it. */
  horizon: number
}

interface Waiter {
  readonly request: Request
  readonly caller: Caller
  readonly since: number
  readonly answer: (answer: Answer) => void
  readonly cancel: () => void
}

export class Latchkey extends ModelServer {
  readonly version = '1.6.45-latchkey.0.1.0'
  readonly #state: LatchkeyState
  readonly #graceUntil: number
  readonly #incarnation: string
  readonly #startedAt: number
  readonly #queues = new Map<string, Waiter[]>()
  readonly #ends = new Map<string, () => void>()
  #halted = false

  /** `state`: of the process before, or a first one. */
  constructor(time: VirtualTime, note: Note, state: LatchkeyState, incarnation: string) {
    super(time, note)
    this.#state = state
    this.#state.token += SKIPPED
    this.#graceUntil = state.horizon === 0 ? 0 : state.horizon + DRIFT_MS
    this.#incarnation = incarnation
    this.#startedAt = time.now()
  }

  override serve(request: Request, caller: Caller, answer: (answer: Answer) => void): void {
    const waitMs = request.command === 'ms' ? Number(flagOf(request.flags, 'w') ?? 0) : 0
    if (waitMs > 0 && flagOf(request.flags, 'M') !== 'E') answer(clientError('w is for mode ME only'))
    else if (waitMs > 0 && this.find(request.key) !== undefined) this.#wait(request, caller, waitMs, answer)
    else if (request.command === 'md' && flagOf(request.flags, 'g') !== undefined) answer(this.#raise(request))
    else super.serve(request, caller, answer)
  }

  override leave(caller: Caller): void {
    for (const queue of this.#queues.values()) {
      for (const waiter of queue.filter((each) => each.caller === caller)) this.#giveUp(waiter)
    }
  }

  halt(): void {
    this.#halted = true
  }

  override resume(_lagMs: number): void {
    this.#halted = false
    for (const key of [...this.items.keys()]) this.find(key)
    const now = this.time.now()
    for (const queue of [...this.#queues.values()]) {
      for (const waiter of [...queue]) if (waiter.since + waitOf(waiter.request) <= now) this.#giveUp(waiter)
    }
  }

  stop(): void {
    for (const cancel of this.#ends.values()) cancel()
    for (const queue of this.#queues.values()) for (const { cancel } of queue) cancel()
    this.#queues.clear()
  }

  stats(): Record<string, string> {
    const uptime = Math.floor((this.time.now() - this.#startedAt) / 1000)
    const { version } = this
    return { pid: '1', uptime: `${uptime}`, version, incarnation: this.#incarnation, lock_state: 'kept' }
  }

  protected nextToken(): bigint {
    return ++this.#state.token
  }

  protected endOf(flags: readonly string[]): number {
    const lifeMs = Number(flagOf(flags, 'p') ?? Number(flagOf(flags, 'T') ?? 0) * 1000)
    if (lifeMs === 0) return Number.POSITIVE_INFINITY
    return lifeMs < 0 ? Number.NEGATIVE_INFINITY : Math.floor(this.time.now()) + lifeMs
  }

  protected leftOf(letter: string, { end }: Item): number {
    if (end === Number.POSITIVE_INFINITY) return -1
    const leftMs = end - Math.floor(this.time.now())
    return letter === 'p' ? leftMs : Math.ceil(leftMs / 1000)
  }

  protected override isPinned(key: string): boolean {
    return [PINNED, FENCE_REGISTER, REGISTER].some((prefix) => key.startsWith(prefix))
  }

  protected override waitersOf(key: string): number {
    return this.#queues.get(key)?.length ?? 0
  }

  protected override find(key: string): Item | undefined {
    const item = this.items.get(key)
    if (item === undefined || item.end > this.time.now()) return item
    this.drop('expire', key, item, undefined)
    // Whoever waits has had it handed over.
    return this.find(key)
  }

  protected override put(request: Request, before: Item | undefined, value: string, end: number): Item {
    const item = super.put(request, before, value, end)
    this.#watch(request.key, end)
    return item
  }

  protected override touch(request: Request, before: Item): Item {
    const item = super.touch(request, before)
    this.#watch(request.key, item.end)
    return item
  }

  protected override drop(what: Deed['what'], key: string, item: Item, by: number | undefined): void {
    super.drop(what, key, item, by)
    this.#ends.get(key)?.()
    this.#ends.delete(key)
    this.#handOver(key)
  }

  /** A set that there is no memory for deletes what it would have replaced, but no lock, and nothing by compare-and-swap. */
  protected override refusal(request: Request, before: Item | undefined): Answer | undefined {
    const { key, flags } = request
    const isKept = before !== undefined && flagOf(flags, 'M') === 'E'
    const refused = isKept ? undefined : super.refusal(request, before)
    if (refused !== undefined && before !== undefined && !this.isPinned(key) && flagOf(flags, 'C') === undefined) {
      this.drop('evict', key, before, request.by)
    }
    return refused ?? (before === undefined ? this.#grace(request) : undefined)
  }

  /** A deletion with a fence: refused below the register, which it raises also where there is nothing to delete. */
  #raise(request: Request): Answer {
    const fence = BigInt(flagOf(request.flags, 'g')!)
    const key = FENCE_REGISTER + request.key
    const before = this.find(key)
    if (before !== undefined && BigInt(before.value) > fence) return EX
    this.put({ ...request, key }, before, `${fence}`, Number.POSITIVE_INFINITY)
    return NF
  }

  #grace({ key, flags }: Request): Answer | undefined {
    const leftMs = Math.ceil(this.#graceUntil - this.time.now())
    if (leftMs <= 0 || !key.startsWith(PINNED) || flagOf(flags, 'M') !== 'E') return undefined
    return serverError(`lock grace: ${leftMs} ms left`)
  }

  /** So that it is handed over at its end, whether anybody asks or not. */
  #watch(key: string, end: number): void {
    this.#ends.get(key)?.()
    this.#ends.delete(key)
    if (end === Number.POSITIVE_INFINITY) return
    if (key.startsWith(PINNED) && end > this.#state.horizon) this.#state.horizon = end + STEP_MS
    const cancel = this.time.timer(end - this.time.now(), () => {
      if (!this.#halted) this.find(key)
    })
    this.#ends.set(key, cancel)
  }

  #wait(request: Request, caller: Caller, waitMs: number, answer: (answer: Answer) => void): void {
    const queue = this.#queues.get(request.key) ?? []
    this.#queues.set(request.key, queue)
    const cancel = this.time.timer(waitMs, () => {
      if (!this.#halted) this.#giveUp(waiter)
    })
    const waiter: Waiter = { request, caller, since: this.time.now(), answer, cancel }
    queue.push(waiter)
  }

  #giveUp(waiter: Waiter): void {
    const queue = this.#queues.get(waiter.request.key)!
    const at = queue.indexOf(waiter)
    if (at < 0) return
    queue.splice(at, 1)
    waiter.cancel()
    waiter.answer(this.notStored(NS, waiter.request))
  }

  /** To the first who waits; no add comes in between. */
  #handOver(key: string): void {
    const waiter = this.#queues.get(key)?.shift()
    if (waiter === undefined) return
    waiter.cancel()
    const waitedMs = Math.floor(this.time.now() - waiter.since)
    const answer = this.store(waiter.request)
    const isStored = answer.status === 'HD'
    const flags = answer.flags.map((flag) => (flag[0] === 'w' ? `w${waitedMs}` : flag))
    waiter.answer(isStored ? { status: 'HD', flags } : answer)
    if (!isStored) this.#handOver(key)
  }
}

function waitOf({ flags }: Request): number {
  return Number(flagOf(flags, 'w'))
}
