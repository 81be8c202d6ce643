/**
 * Taking a key and keeping it, for who builds locks on a store: adds that tell their token, that wait their turn, and swaps
 * that tell the new token. The same store, safe from every thread; `Store` passes its calls on to here.
 */
import { Arguments, checkFlags, checkToken, checkTtl, checkWait } from './arguments.js'
import type { Bytes } from './bytes.js'
import { StoreMemoryError, ValueTooLargeError } from './errors.js'
import type { Key } from './key.js'
import type { SetOptions } from './store.js'
import type { Table } from './table.js'
import { type ItemReader, type ItemView, Outcome, WriteMode, type WriteOptions, writeOptions } from './types.js'

export interface ClaimOptions extends SetOptions {
  /** Milliseconds to wait in the key's queue while somebody else has it. Default 0: not at all. */
  waitMs?: number
  /** Ends the wait; the claim then rejects with its reason. */
  signal?: AbortSignal | undefined
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

  async claimOrWait(
    key: string | Uint8Array,
    value: string | Uint8Array,
    options: ClaimOptions,
  ): Promise<Claimed | undefined> {
    checkWait(options.waitMs ?? 0)
    const cas = this.claim(key, value, options)
    return cas === undefined ? undefined : { cas, waitedMs: 0 }
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
    return this.#refuseNothing(filled, bytes, this.#fill(mode, compareCas, options))
  }

  #fill(mode: WriteMode, compareCas: bigint | undefined, options: SetOptions): WriteOptions {
    const write = this.#write
    write.mode = mode
    write.compareCas = compareCas
    write.flags = checkFlags(options.flags ?? 0)
    write.ttlMs = checkTtl(options.ttlMs ?? 0)
    return write
  }

  #refuseNothing(key: Key, bytes: Bytes, write: WriteOptions): Outcome {
    const outcome = this.#table.write(key, bytes, 0, bytes.u8.length, write, this.#token)
    if (outcome === Outcome.TooLarge) throw new ValueTooLargeError(this.#table.handle.options.itemMax)
    if (outcome === Outcome.OutOfMemory) throw new StoreMemoryError()
    return outcome
  }
}
