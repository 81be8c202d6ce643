/** A new time to live for an item, without its value. */
import { type Reply, Status } from '../../protocol/index.js'
import { Exchange } from '../exchange.js'
import type { Features } from '../features.js'
import type { WireKey } from '../key.js'
import type { Outbox } from '../outbox.js'
import { classicKey, writeMetaKey } from './line.js'

/** True when there was an item. */
export class Touch extends Exchange<boolean> {
  readonly #key: WireKey
  readonly #exptime: number

  constructor(key: WireKey, exptime: number) {
    super('touch')
    this.#key = key
    this.#exptime = exptime
  }

  write(out: Outbox, { meta }: Features): void {
    if (meta) {
      writeMetaKey(out, 'mg ', this.#key)
      out.text(` T${this.#exptime}`)
      this.endMeta(out)
    } else {
      out.text(`touch ${classicKey(this.#key)} ${this.#exptime}`)
      out.endLine()
    }
  }

  protected takeReply(reply: Reply): boolean {
    switch (reply.status) {
      case Status.Done:
      case Status.Miss:
        this.deliver(reply.status === Status.Done)
        return true
      case Status.Touched:
      case Status.ClassicNotFound:
        this.deliver(reply.status === Status.Touched)
        return true
      default:
        throw this.unexpected(reply)
    }
  }
}
