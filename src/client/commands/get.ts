/** Reading one value: get and gat, and gets with the CAS token. */
import { type Reply, Status } from '../../protocol/index.js'
import type { Codec } from '../codec.js'
import { Exchange } from '../exchange.js'
import type { Features } from '../features.js'
import type { WireKey } from '../key.js'
import type { Outbox } from '../outbox.js'
import type { Versioned } from '../types.js'
import { classicKey, isPlaceholder, writeMetaKey } from './line.js'

abstract class Read<R> extends Exchange<R | undefined> {
  readonly #key: WireKey
  readonly #exptime: number | undefined
  /** Classic only: the value came, the END behind it is due. */
  #found = false

  /** With `exptime` the item lives on for so long (gat). */
  constructor(operation: string, key: WireKey, exptime: number | undefined) {
    super(operation)
    this.#key = key
    this.#exptime = exptime
  }

  protected abstract readonly withToken: boolean
  protected abstract read(reply: Reply): R

  /** What an item without a value is told as. */
  protected missing(_reply: Reply): R | undefined {
    return undefined
  }

  write(out: Outbox, { meta }: Features): void {
    if (meta) this.#writeMeta(out)
    else this.#writeClassic(out)
  }

  #writeMeta(out: Outbox): void {
    writeMetaKey(out, 'mg ', this.#key)
    out.text(this.withToken ? ' v f c' : ' v f')
    if (this.#exptime !== undefined) out.text(` T${this.#exptime}`)
    this.endMeta(out)
  }

  #writeClassic(out: Outbox): void {
    const key = classicKey(this.#key)
    const suffix = this.withToken ? 's ' : ' '
    out.text(this.#exptime === undefined ? `get${suffix}${key}` : `gat${suffix}${this.#exptime} ${key}`)
    out.endLine()
  }

  protected takeReply(reply: Reply): boolean {
    switch (reply.status) {
      case Status.Value:
        if (isPlaceholder(reply)) this.deliver(this.missing(reply))
        else this.deliverFrom(() => this.read(reply))
        return true
      case Status.Miss:
        this.deliver(undefined)
        return true
      case Status.ClassicValue:
        if (this.#found || reply.text() !== this.#key.text) throw this.unexpected(reply)
        this.#found = true
        this.deliverFrom(() => this.read(reply))
        return false
      case Status.End:
        if (!this.#found) this.deliver(undefined)
        return true
      default:
        throw this.unexpected(reply)
    }
  }
}

export class Get<T> extends Read<T> {
  protected readonly withToken = false
  readonly #codec: Codec<T>

  constructor(key: WireKey, codec: Codec<T>, exptime?: number) {
    super(exptime === undefined ? 'get' : 'gat', key, exptime)
    this.#codec = codec
  }

  protected read(reply: Reply): T {
    return this.#codec.decode(reply.value(), reply.flags)
  }
}

/** With the token. `M` is what an item without a value is told as. */
abstract class ReadToken<T, M extends Versioned<undefined> = never> extends Read<Versioned<T> | M> {
  protected readonly withToken = true
  readonly #codec: Codec<T>

  constructor(key: WireKey, codec: Codec<T>) {
    super('gets', key, undefined)
    this.#codec = codec
  }

  protected read(reply: Reply): Versioned<T> {
    return { cas: this.tokenOf(reply), value: this.#codec.decode(reply.value(), reply.flags) }
  }

  protected tokenOf(reply: Reply): bigint {
    const cas = reply.cas()
    if (cas === undefined) throw this.unexpected(reply)
    return cas
  }
}

export class Gets<T> extends ReadToken<T> {}

/** For `update`, which has to know of an item without a value too: an add would be refused. */
export class GetsForUpdate<T> extends ReadToken<T, Versioned<undefined>> {
  protected override missing(reply: Reply): Versioned<undefined> {
    return { cas: this.tokenOf(reply), value: undefined }
  }
}
