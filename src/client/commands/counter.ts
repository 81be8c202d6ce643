/** incr and decr. */
import { parseU64, type Reply, Status } from '../../protocol/index.js'
import { UnsupportedError } from '../errors.js'
import { Exchange } from '../exchange.js'
import type { Features } from '../features.js'
import type { WireKey } from '../key.js'
import type { Outbox } from '../outbox.js'
import { classicKey, writeMetaKey } from './line.js'

/** A counter that is created when it is missing. */
export interface Vivify {
  initial: bigint
  exptime: number
}

export class Count extends Exchange<bigint | undefined> {
  readonly #key: WireKey
  readonly #delta: bigint
  readonly #vivify: Vivify | undefined

  constructor(operation: 'incr' | 'decr', key: WireKey, delta: bigint, vivify?: Vivify) {
    super(operation)
    this.#key = key
    this.#delta = delta
    this.#vivify = vivify
  }

  write(out: Outbox, { meta }: Features): void {
    if (meta) this.#writeMeta(out)
    else this.#writeClassic(out)
  }

  #writeMeta(out: Outbox): void {
    writeMetaKey(out, 'ma ', this.#key)
    out.text(this.operation === 'incr' ? ` v D${this.#delta}` : ` v MD D${this.#delta}`)
    if (this.#vivify !== undefined) out.text(` N${this.#vivify.exptime} J${this.#vivify.initial}`)
    this.endMeta(out)
  }

  #writeClassic(out: Outbox): void {
    if (this.#vivify !== undefined) throw new UnsupportedError('a counter created at once needs meta commands')
    out.text(`${this.operation} ${classicKey(this.#key)} ${this.#delta}`)
    out.endLine()
  }

  protected takeReply(reply: Reply): boolean {
    switch (reply.status) {
      case Status.Value:
        this.#deliver(reply, reply.data, reply.valueStart, reply.valueEnd)
        return true
      case Status.Number:
        this.#deliver(reply, reply.line, reply.rest, reply.end)
        return true
      case Status.NotFound:
        this.deliver(undefined)
        return true
      case Status.ClassicNotFound:
        this.deliver(undefined)
        return true
      default:
        throw this.unexpected(reply)
    }
  }

  #deliver(reply: Reply, bytes: Buffer, start: number, end: number): void {
    const count = parseU64(bytes, start, end)
    if (count === undefined) throw this.unexpected(reply)
    this.deliver(count)
  }
}
