/** delete, also only if the token is still the same. */
import { type Reply, Status } from '../../protocol/index.js'
import { Exchange } from '../exchange.js'
import type { Features } from '../features.js'
import type { WireKey } from '../key.js'
import type { Outbox } from '../outbox.js'
import { classicKey, writeMetaKey } from './line.js'

/** True when deleted; false when there was no item, or with a token another one. */
export class Remove extends Exchange<boolean> {
  readonly #key: WireKey
  readonly #token: bigint | undefined

  constructor(key: WireKey, token?: bigint) {
    super('delete')
    this.#key = key
    this.#token = token
  }

  write(out: Outbox, { meta, compareAndDelete }: Features): void {
    if (this.#token === undefined ? meta : compareAndDelete) this.#writeMeta(out)
    else this.#writeClassic(out)
  }

  #writeMeta(out: Outbox): void {
    writeMetaKey(out, 'md ', this.#key)
    if (this.#token !== undefined) out.text(` C${this.#token}`)
    this.endMeta(out)
  }

  /** Classic delete knows no token: an empty value that has expired already does the same in one step. */
  #writeClassic(out: Outbox): void {
    const key = classicKey(this.#key)
    out.text(this.#token === undefined ? `delete ${key}` : `cas ${key} 0 -1 0 ${this.#token}\r\n`)
    out.endLine()
  }

  protected takeReply(reply: Reply): boolean {
    switch (reply.status) {
      case Status.Done:
      case Status.NotFound:
      case Status.Exists:
        this.deliver(reply.status === Status.Done)
        return true
      case Status.Deleted:
      case Status.Stored:
        this.deliver(true)
        return true
      case Status.ClassicNotFound:
      case Status.ClassicExists:
        this.deliver(false)
        return true
      default:
        throw this.unexpected(reply)
    }
  }
}
