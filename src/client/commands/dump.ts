/** The keys that a server has, as `lru_crawler metadump` tells them. */
import { type Reply, Status } from '../../protocol/index.js'
import { TooManyKeysError } from '../errors.js'
import { Exchange } from '../exchange.js'
import type { Outbox } from '../outbox.js'
import type { Session } from '../types.js'

/** What stands behind `key=`. */
const LINE = /^(\S+) exp=(-?\d+) .*\bcas=(\d+)/

export interface DumpedKey {
  readonly key: Buffer
  /** Unix time in seconds, −1 for never. */
  readonly exp: number
  readonly cas: bigint
}

export class Dump extends Exchange<DumpedKey[]> {
  readonly #prefix: Buffer
  readonly #limit: number
  readonly #pinned: boolean
  readonly #found: DumpedKey[] = []

  constructor(prefix: Uint8Array, limit: number, pinned: boolean) {
    super('keys')
    this.#prefix = Buffer.from(prefix)
    this.#limit = limit
    this.#pinned = pinned
  }

  write(out: Outbox, { latchkey }: Session): void {
    out.text(`lru_crawler metadump ${this.#pinned && latchkey ? 'pinned' : 'all'}\r\n`)
  }

  protected takeReply(reply: Reply): boolean {
    switch (reply.status) {
      case Status.Dumped:
        this.#take(reply)
        return false
      case Status.End:
        this.deliver(this.#found)
        return true
      default:
        throw this.unexpected(reply)
    }
  }

  #take(reply: Reply): void {
    const parts = LINE.exec(reply.text())
    if (parts === null) throw this.unexpected(reply)
    const key = unescaped(parts[1])
    if (!key.subarray(0, this.#prefix.length).equals(this.#prefix)) return
    if (this.#found.length === this.#limit) this.fail(new TooManyKeysError(this.#limit))
    else this.#found.push({ key, exp: Number(parts[2]), cas: BigInt(parts[3]) })
  }
}

/** `%` and two hexadecimal digits are a byte. */
function unescaped(text: string): Buffer {
  if (!text.includes('%')) return Buffer.from(text, 'latin1')
  const plain = text.replace(/%([0-9a-fA-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(plain, 'latin1')
}
