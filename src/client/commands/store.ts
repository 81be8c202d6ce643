/** Writing one value: set, add, replace, append, prepend and cas. */
import { type Reply, Status } from '../../protocol/index.js'
import type { Encoded } from '../codec.js'
import { InvalidArgumentError } from '../errors.js'
import { Exchange } from '../exchange.js'
import type { Features } from '../features.js'
import type { WireKey } from '../key.js'
import type { Outbox } from '../outbox.js'
import type { CasOutcome } from '../types.js'
import { classicKey } from './line.js'

export type StoreMode = 'set' | 'add' | 'replace' | 'append' | 'prepend'

/** `ms` has modes where classic has commands of their own. */
const metaMode: Record<StoreMode, string> = { set: '', add: ' ME', replace: ' MR', append: ' MA', prepend: ' MP' }

abstract class Write<R> extends Exchange<R> {
  protected override readonly hasBody = true
  readonly #key: WireKey
  readonly #encoded: Encoded
  readonly #exptime: number
  /** Bytes of the value. */
  readonly #length: number

  constructor(operation: string, key: WireKey, encoded: Encoded, exptime: number) {
    super(operation)
    this.#key = key
    this.#encoded = encoded
    this.#exptime = exptime
    this.#length = typeof encoded.data === 'string' ? Buffer.byteLength(encoded.data) : encoded.data.length
  }

  /** Not as a meta command, whatever the server can do. */
  classic = false
  protected abstract readonly mode: StoreMode
  protected abstract readonly token: bigint | undefined
  /** Only Latchkey is told one. */
  protected readonly fence: bigint | undefined = undefined
  protected abstract outcomeOf(reply: Reply): R

  write(out: Outbox, { meta }: Features): void {
    if (typeof this.#encoded.data !== 'string' && this.#encoded.data.length !== this.#length) {
      throw new InvalidArgumentError('the bytes of the value were given away before they were sent')
    }
    if (meta && !this.classic) this.#writeMetaLine(out)
    else this.#writeClassicLine(out)
    out.value(this.#encoded.data, this.#length)
    out.endLine()
  }

  #writeMetaLine(out: Outbox): void {
    out.text('ms ')
    out.text(this.#key.text)
    out.space()
    out.number(this.#length)
    if (this.#key.base64) out.text(' b')
    if (this.#encoded.flags !== 0) out.text(` F${this.#encoded.flags}`)
    if (this.#exptime !== 0) out.text(` T${this.#exptime}`)
    if (this.token !== undefined) out.text(` C${this.token}`)
    if (this.fence !== undefined) out.text(` g${this.fence}`)
    out.text(metaMode[this.mode])
    this.endMeta(out)
  }

  #writeClassicLine(out: Outbox): void {
    const command = this.token === undefined ? this.mode : 'cas'
    out.text(`${command} ${classicKey(this.#key)} ${this.#encoded.flags} ${this.#exptime} ${this.#length}`)
    if (this.token !== undefined) out.text(` ${this.token}`)
    out.endLine()
  }

  protected takeReply(reply: Reply): boolean {
    this.deliver(this.outcomeOf(reply))
    return true
  }
}

/** True when stored; false when add found an item, or replace, append or prepend none. */
export class Store extends Write<boolean> {
  protected readonly mode: StoreMode
  protected readonly token = undefined

  constructor(mode: StoreMode, key: WireKey, encoded: Encoded, exptime: number) {
    super(mode, key, encoded, exptime)
    this.mode = mode
  }

  protected outcomeOf(reply: Reply): boolean {
    switch (reply.status) {
      case Status.Done:
      case Status.Stored:
        return true
      case Status.NotStored:
      case Status.ClassicNotStored:
        return false
      default:
        throw this.unexpected(reply)
    }
  }
}

export class CompareAndSwap extends Write<CasOutcome> {
  protected readonly mode = 'set'
  protected readonly token: bigint

  constructor(key: WireKey, encoded: Encoded, exptime: number, token: bigint) {
    super('cas', key, encoded, exptime)
    this.token = token
  }

  protected outcomeOf(reply: Reply): CasOutcome {
    switch (reply.status) {
      case Status.Done:
      case Status.Stored:
        return 'stored'
      case Status.Exists:
      case Status.ClassicExists:
        return 'exists'
      case Status.NotFound:
      case Status.ClassicNotFound:
        return 'not-found'
      default:
        throw this.unexpected(reply)
    }
  }
}
