/**
 * Taking a key and keeping it, for who builds locks on a store: adds that tell their token, that wait their turn, and swaps
 * that tell the new token. The same store, safe from every thread; `Store` passes its calls on to here.
 */

import { Arguments, checkFlags, checkToken, checkTtl, checkWait } from './arguments.js'
import { Bytes } from './bytes.js'
import {
  StoreClosedError,
  StoreMemoryError,
  TooManyWaitersError,
  ValueTooLargeError,
  ValueTooLongToWaitError,
} from './errors.js'
import type { PinnedEntry, SetOptions } from './store.js'
import type { Table } from './table.js'
import {
  type ItemReader,
  type ItemView,
  Outcome,
  type ReadOptions,
  readOptions,
  WriteMode,
  type WriteOptions,
  writeOptions,
} from './types.js'
import { WAITING_VALUE_MAX } from './waiter-layout.js'
import type { Wait, WaitEnd } from './waits.js'

export interface ClaimOptions extends SetOptions {
  /** Milliseconds to wait in the key's queue while somebody else has it. Default 0: not at all. */
  waitMs?: number
  /** Ends the wait; the claim then rejects with its reason. */
  signal?: AbortSignal | undefined
  /** Called when it has to wait, once it is in the queue. */
  onQueued?: (() => void) | undefined
}

export interface Claimed {
  /** The item's token: greater than that of every earlier holder. */
  cas: bigint
  /** How long the claim was kept waiting, rounded down: the time to live counts from no sooner than so much after the call. */
  waitedMs: number
}

class TokenReader implements ItemReader {
  cas = 0n

  item(view: ItemView): void {
    this.cas = view.cas
  }
}

const PEEK: ReadOptions = { ...readOptions(), peek: true }

function takeEntry(view: ItemView, beginning: Buffer, found: PinnedEntry[]): void {
  const key = Bytes.allocate(view.keyLength)
  view.copyKey(key, 0)
  if (view.keyLength < beginning.length || beginning.compare(key.u8, 0, beginning.length) !== 0) return
  const value = Bytes.allocate(view.valueLength)
  view.copyValue(value, 0)
  const { flags, cas, ttlMs, waiters } = view
  found.push({ key: Buffer.from(key.u8).toString(), value: value.u8, flags, cas, ttlMs, waiting: waiters })
}

export class Claims {
  readonly #table: Table
  readonly #arguments: Arguments
  readonly #token = new TokenReader()
  readonly #write = writeOptions()

  constructor(table: Table) {
    this.#table = table
    this.#arguments = new Arguments(table.newKey())
  }

  claim(key: string | Uint8Array, value: string | Uint8Array, options: SetOptions): bigint | undefined {
    const outcome = this.#store(key, value, WriteMode.Add, undefined, options)
    return outcome === Outcome.Done ? this.#token.cas : undefined
  }

  swap(
    key: string | Uint8Array,
    value: string | Uint8Array,
    cas: bigint,
    options: SetOptions,
  ): bigint | 'exists' | 'not-found' {
    const outcome = this.#store(key, value, WriteMode.Set, checkToken(cas), options)
    if (outcome === Outcome.Done) return this.#token.cas
    return outcome === Outcome.Exists ? 'exists' : 'not-found'
  }

  waiting(key: string | Uint8Array): number {
    const filled = this.#arguments.key(key)
    this.#table.tick()
    let waiters = 0
    this.#table.read(filled, PEEK, {
      item(view) {
        waiters = view.waiters
      },
    })
    return waiters
  }

  /** A stripe's items at a time: nothing is locked while the caller looks at them. */
  *pinned(prefix: string): Generator<PinnedEntry> {
    const beginning = Buffer.from(prefix)
    let cursor = 0
    do {
      const found: PinnedEntry[] = []
      cursor = this.#table.scanPinned(cursor, { item: (view) => takeEntry(view, beginning, found) })
      yield* found
    } while (cursor !== 0)
  }

  async claimOrWait(
    key: string | Uint8Array,
    value: string | Uint8Array,
    options: ClaimOptions,
  ): Promise<Claimed | undefined> {
    const waitMs = checkWait(options.waitMs ?? 0)
    const { signal } = options
    signal?.throwIfAborted()
    const bytes = this.#arguments.value(value)
    const filled = this.#arguments.key(key)
    this.#table.tick()
    const write = this.#fill(WriteMode.Add, undefined, options)
    const turn = new Turn(signal)
    const settle = (end: WaitEnd) => turn.settle(end)
    const started = this.#table.addOrWait(filled, bytes, 0, bytes.u8.length, write, waitMs, settle, this.#token)
    if (typeof started === 'object') {
      const claimed = turn.await(started)
      options.onQueued?.()
      return claimed
    }
    return this.#check(started) === Outcome.Done ? { cas: this.#token.cas, waitedMs: 0 } : undefined
  }

  #store(
    key: string | Uint8Array,
    value: string | Uint8Array,
    mode: WriteMode,
    compareCas: bigint | undefined,
    options: SetOptions,
  ): Outcome {
    const bytes = this.#arguments.value(value)
    const filled = this.#arguments.key(key)
    this.#table.tick()
    const write = this.#fill(mode, compareCas, options)
    return this.#check(this.#table.write(filled, bytes, 0, bytes.u8.length, write, this.#token))
  }

  #fill(mode: WriteMode, compareCas: bigint | undefined, options: SetOptions): WriteOptions {
    const write = this.#write
    write.mode = mode
    write.compareCas = compareCas
    write.flags = checkFlags(options.flags ?? 0)
    write.ttlMs = checkTtl(options.ttlMs ?? 0)
    return write
  }

  #check(outcome: Outcome): Outcome {
    if (outcome === Outcome.TooLarge) throw new ValueTooLargeError(this.#table.handle.options.itemMax)
    if (outcome === Outcome.OutOfMemory) throw new StoreMemoryError()
    if (outcome === Outcome.TooLongToWait) throw new ValueTooLongToWaitError(WAITING_VALUE_MAX)
    if (outcome === Outcome.TooManyWaiters) throw new TooManyWaitersError()
    return outcome
  }
}

/** The promise of one wait. It is settled once, by what comes first: after the end of the wait an abort changes nothing. */
class Turn {
  readonly #signal: AbortSignal | undefined
  #resolve: (claimed: Claimed | undefined) => void = () => undefined
  #reject: (reason: unknown) => void = () => undefined
  #aborted: () => void = () => undefined

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
  }

  await(wait: Wait): Promise<Claimed | undefined> {
    const promise = new Promise<Claimed | undefined>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#aborted = () => {
      wait.abandon()
      this.#reject(this.#signal?.reason)
    }
    this.#signal?.addEventListener('abort', this.#aborted, { once: true })
    return promise
  }

  settle({ status, cas, waitedMs, error }: WaitEnd): void {
    this.#signal?.removeEventListener('abort', this.#aborted)
    if (status === 'granted') this.#resolve({ cas, waitedMs })
    else if (status === 'timed-out') this.#resolve(undefined)
    else this.#reject(error ?? new StoreClosedError())
  }
}
