/** A driver for the model server, with a wire between them that delays and loses what it is told to. */
import {
  type Call,
  type Claim,
  type ClaimResult,
  type Facts,
  type Found,
  type Lease,
  type LockDriver,
  LockUnavailableError,
  OutcomeUnknownError,
  type Registered,
  type Registers,
  type Version,
} from 'latchkey/locks'
import type { Item, ModelServer } from './model-server.js'
import type { VirtualTime } from './virtual-time.js'

export type Kind = 'claim' | 'extend' | 'release' | 'find' | 'read' | 'swap'

/** What becomes of one request. */
export interface Fate {
  /** How long it is on its way, and its reply on the way back. Default 1. */
  readonly requestMs?: number
  readonly replyMs?: number
  /** `request`, `reply`: that never arrives. `drop`: as `reply`, and the sender is told at once. `refused`: nothing was sent. */
  readonly loss?: 'request' | 'reply' | 'drop' | 'refused' | undefined
  readonly retryAfterMs?: number
}

/** The nth request of its kind, from 1. */
export type Fates = (kind: Kind, nth: number) => Fate | undefined

/** Every moment at which something may come in between. */
export type Step = (kind: Kind, phase: 'sending' | 'arriving' | 'done' | 'replied') => void

export interface ModelDriverOptions {
  readonly time: VirtualTime
  readonly server: ModelServer
  readonly queues?: boolean
  readonly fates?: Fates
  readonly step?: Step
  readonly facts?: Partial<Facts>
}

export class ModelDriver implements LockDriver {
  readonly kind = 'model'
  /** How often each kind was asked. */
  readonly asked: Record<Kind, number> = { claim: 0, extend: 0, release: 0, find: 0, read: 0, swap: 0 }
  readonly claims: Claim[] = []
  readonly registers: Registers = {
    read: (key, call) =>
      this.#ask<Registered | undefined>('read', key, call, 0, (give) => give(this.#options.server.register(key))),
    swap: (key, value, before, _ttlMs, call) =>
      this.#ask<Version | undefined>('swap', key, call, 0, (give) =>
        give(this.#options.server.swapRegister(key, value, before as bigint | undefined)),
      ),
  }
  fates: Fates
  closed = false
  readonly #options: ModelDriverOptions
  readonly #step: Step

  constructor(options: ModelDriverOptions) {
    this.#options = options
    this.fates = options.fates ?? (() => undefined)
    this.#step = options.step ?? (() => {})
  }

  async claim(claim: Claim, call: Call): Promise<ClaimResult> {
    const { server, time, queues = false } = this.#options
    const { key, name, holder, ttlMs } = claim
    const waitMs = queues ? claim.waitMs : 0
    this.claims.push(claim)
    const sentAt = call.clock.now()
    let keptMs = 0
    const item = await this.#ask<Item | undefined>('claim', name, call, waitMs, (give) => {
      const arrivedAt = time.now()
      const before = server.waiters(key)
      const leave = server.addOrWait(key, holder, ttlMs, waitMs, (got) => {
        keptMs = Math.floor(time.now() - arrivedAt)
        give(got)
      })
      if (server.waiters(key) > before) call.onQueued?.()
      return leave
    })
    if (item === undefined) return { status: 'busy', found: undefined, queued: queues && claim.waitMs > 0 }
    return { status: 'held', lease: this.#lease(item, claim, sentAt + keptMs) }
  }

  async extend(lease: Lease<bigint>, ttlMs: number, call: Call): Promise<Lease | undefined> {
    const sentAt = call.clock.now()
    const { server } = this.#options
    const item = await this.#ask<Item | undefined>('extend', lease.name, call, 0, (give) =>
      give(server.extend(lease.key, lease.version, ttlMs)),
    )
    return item && this.#lease(item, lease, sentAt)
  }

  release(key: string, version: bigint, call: Call): Promise<boolean> {
    return this.#ask<boolean>('release', key, call, 0, (give) => give(this.#options.server.remove(key, version)))
  }

  find(key: string, call: Call): Promise<Found | undefined> {
    return this.#ask<Found | undefined>('find', key, call, 0, (give) => give(this.#options.server.found(key)))
  }

  async *list(keyPrefix: string): AsyncGenerator<Found> {
    for (const key of this.#options.server.keys()) {
      if (key.startsWith(keyPrefix)) yield this.#options.server.found(key)!
    }
  }

  async facts(): Promise<Facts> {
    const { server, queues = false, facts } = this.#options
    const { granularityMs } = server
    const plain = {
      what: 'Model',
      evicts: false,
      survivesRestart: false,
      granularityMs,
      queues,
      remote: true,
      notes: [],
    }
    return { ...plain, ...facts }
  }

  async close(): Promise<void> {
    this.closed = true
  }

  #lease({ key, holder, fence, version }: Item, { name }: { name: string }, from: number): Lease {
    return { key, name, holder, fence, version, from, granularityMs: this.#options.server.granularityMs }
  }

  #ask<T>(
    kind: Kind,
    name: string,
    call: Call,
    waitMs: number,
    // biome-ignore lint/suspicious/noConfusingVoidType: only a claim can be left
    serve: (give: (result: T) => void) => void | (() => void),
  ): Promise<T> {
    const { time } = this.#options
    const { requestMs = 1, replyMs = 1, loss, retryAfterMs } = this.fates(kind, ++this.asked[kind]) ?? {}
    return new Promise((resolve, reject) => {
      const { signal } = call
      if (signal?.aborted) return reject(signal.reason)
      // biome-ignore lint/suspicious/noConfusingVoidType: as above
      let leave: void | (() => void)
      const end = (settle: () => void) => {
        cancel()
        signal?.removeEventListener('abort', abort)
        settle()
      }
      const abort = () =>
        end(() => {
          leave?.()
          reject(signal!.reason)
        })
      const cancel = time.timer(call.deadlineMs + waitMs, () => {
        leave?.()
        end(() => reject(new OutcomeUnknownError(new Error(`${kind}: no reply`))))
      })
      signal?.addEventListener('abort', abort, { once: true })
      this.#step(kind, 'sending')
      if (loss === 'refused') {
        const error = new LockUnavailableError(name, 'refused', retryAfterMs === undefined ? {} : { retryAfterMs })
        time.timer(requestMs, () => end(() => reject(error)))
        return
      }
      time.timer(requestMs, () => {
        if (loss === 'request') return
        this.#step(kind, 'arriving')
        leave = serve((result) => {
          this.#step(kind, 'done')
          if (loss === 'reply') return
          time.timer(replyMs, () => {
            this.#step(kind, 'replied')
            if (loss === 'drop') end(() => reject(new OutcomeUnknownError(new Error('connection lost'))))
            else end(() => resolve(result))
          })
        })
      })
    })
  }
}
