/** Writes under a lock, which carry its fence: the server refuses what comes after a write with a greater one. */
import { StaleFenceError } from '../../fencing/index.js'
import { type Reply, Status } from '../../protocol/index.js'
import type { Encoded } from '../codec.js'
import { UnsupportedError } from '../errors.js'
import { Exchange } from '../exchange.js'
import type { Features } from '../features.js'
import type { WireKey } from '../key.js'
import type { Outbox } from '../outbox.js'
import { writeMetaKey } from './line.js'
import { Store } from './store.js'

/** True when stored. */
export class FencedSet extends Store {
  protected override readonly fence: bigint
  readonly #name: string

  constructor(key: WireKey, encoded: Encoded, exptime: number, fence: bigint) {
    super('set', key, encoded, exptime)
    this.fence = fence
    this.#name = key.text
  }

  override write(out: Outbox, features: Features): void {
    checkSupport(features)
    super.write(out, features)
  }

  protected override takeReply(reply: Reply): boolean {
    if (reply.status !== Status.Exists) return super.takeReply(reply)
    this.fail(new StaleFenceError(this.#name, this.fence))
    return true
  }
}

/** True when deleted; false when there was no item. */
export class FencedRemove extends Exchange<boolean> {
  readonly #key: WireKey
  readonly #fence: bigint

  constructor(key: WireKey, fence: bigint) {
    super('delete')
    this.#key = key
    this.#fence = fence
  }

  write(out: Outbox, features: Features): void {
    checkSupport(features)
    writeMetaKey(out, 'md ', this.#key)
    out.text(` g${this.#fence}`)
    this.endMeta(out)
  }

  protected takeReply(reply: Reply): boolean {
    switch (reply.status) {
      case Status.Done:
      case Status.NotFound:
        this.deliver(reply.status === Status.Done)
        return true
      case Status.Exists:
        this.fail(new StaleFenceError(this.#key.text, this.#fence))
        return true
      default:
        throw this.unexpected(reply)
    }
  }
}

/** A write without its guard would look like success: better none. */
function checkSupport({ meta, latchkey }: Features): void {
  if (meta && latchkey) return
  throw new UnsupportedError(
    'a write with a fence needs Latchkey and its meta commands: memcached refuses no old fence',
  )
}
