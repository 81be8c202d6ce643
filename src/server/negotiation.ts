/** The first byte of a connection tells which protocol its client speaks. */
import { binary } from '../protocol/index.js'
import type { Bytes } from '../store/index.js'
import { AsciiGate } from './auth/ascii-gate.js'
import { SaslGate } from './auth/sasl-gate.js'
import { BinaryDialect } from './binary-dialect.js'
import type { WorkerContext } from './context.js'
import type { Dialect, Flow } from './dialect.js'
import { TextDialect } from './text-dialect.js'

/** Every connection begins with it. Who speaks a protocol that is not allowed is hung up on. */
export class Negotiation implements Dialect {
  readonly needed = 0
  readonly #context: WorkerContext
  readonly #flow: Flow

  constructor(context: WorkerContext, flow: Flow) {
    this.#context = context
    this.#flow = flow
  }

  answer(bytes: Bytes, start: number): number {
    const { protocol } = this.#context.settings
    const isBinary = bytes.u8[start] === binary.REQUEST_MAGIC
    if (protocol === (isBinary ? 'ascii' : 'binary')) this.#flow.close()
    else this.#flow.speak(isBinary ? this.#binary() : this.#text())
    return start
  }

  #binary(): Dialect {
    const { credentials } = this.#context
    return credentials === undefined
      ? new BinaryDialect(this.#context, this.#flow)
      : new SaslGate(this.#context, this.#flow)
  }

  #text(): Dialect {
    const { credentials } = this.#context
    return credentials === undefined
      ? new TextDialect(this.#context, this.#flow)
      : new AsciiGate(this.#context, this.#flow)
  }

  sent(): void {}
}
