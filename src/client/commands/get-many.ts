/** Reading many values of one server in one batch: only hits are answered, and an end mark. */
import { isError, isMeta, type Reply, ReplyError, Status } from '../../protocol/index.js'
import type { Codec } from '../codec.js'
import { Exchange, errorOf } from '../exchange.js'
import type { Features } from '../features.js'
import type { WireKey } from '../key.js'
import type { Outbox } from '../outbox.js'
import { classicKey, isPlaceholder, writeMetaKey } from './line.js'

/** Keys a classic get line. */
const LINE_KEYS = 100

export class GetMany<K, T> extends Exchange<Map<K, T>> {
  readonly #keys: readonly WireKey[]
  readonly #names: readonly K[]
  readonly #codec: Codec<T>
  readonly #found = new Map<K, T>()
  /** Replies come in the order of the keys: the first key that may still be answered. */
  #next = 0
  /** Classic: lines still to be ended. */
  #linesDue = 0
  #error: unknown

  /** `names[i]` is what the caller calls `keys[i]`. */
  constructor(keys: readonly WireKey[], names: readonly K[], codec: Codec<T>) {
    super('getMany', keys.length)
    this.#keys = keys
    this.#names = names
    this.#codec = codec
  }

  write(out: Outbox, { meta }: Features): void {
    if (meta) this.#writeMeta(out)
    else this.#writeClassic(out)
  }

  #writeMeta(out: Outbox): void {
    for (let i = 0; i < this.#keys.length; i++) {
      writeMetaKey(out, 'mg ', this.#keys[i])
      out.text(' v f q')
      this.endMeta(out, this.id + i)
    }
    out.text('mn\r\n')
  }

  #writeClassic(out: Outbox): void {
    const keys = this.#keys.map(classicKey)
    for (let i = 0; i < keys.length; i += LINE_KEYS) {
      out.text(`get ${keys.slice(i, i + LINE_KEYS).join(' ')}\r\n`)
      this.#linesDue++
    }
  }

  /** An error is one key's, or one line's: what follows still belongs to this batch. */
  override take(reply: Reply): boolean {
    const isClassic = this.#linesDue > 0
    if (isError(reply.status)) {
      this.#error ??= errorOf(reply)
      return isClassic && this.#lineEnded()
    }
    if (isMeta(reply.status) === isClassic) throw this.unexpected(reply)
    return this.takeReply(reply)
  }

  protected takeReply(reply: Reply): boolean {
    switch (reply.status) {
      case Status.Value:
        this.#hit(reply, reply.opaque - this.id)
        return false
      case Status.ClassicValue:
        this.#hit(reply, this.#indexOf(reply.text()))
        return false
      case Status.Noop:
        this.#end()
        return true
      case Status.End:
        return this.#lineEnded()
      default:
        throw this.unexpected(reply)
    }
  }

  #hit(reply: Reply, index: number): void {
    if (index < this.#next || index >= this.#keys.length) throw new ReplyError('a reply to none of the keys asked for')
    this.#next = index + 1
    if (this.settled || this.#error !== undefined || isPlaceholder(reply)) return
    try {
      this.#found.set(this.#names[index], this.#codec.decode(reply.value(), reply.flags))
    } catch (error) {
      this.#error = error
    }
  }

  #indexOf(key: string): number {
    let index = this.#next
    while (index < this.#keys.length && this.#keys[index].text !== key) index++
    return index
  }

  #lineEnded(): boolean {
    if (--this.#linesDue > 0) return false
    this.#end()
    return true
  }

  #end(): void {
    if (this.#error === undefined) this.deliver(this.#found)
    else this.fail(this.#error)
  }
}
