/** The first byte of a connection tells which protocol its client speaks. */
import type { Bytes } from '../store/index.js'
import { AsciiGate } from './auth/ascii-gate.js'
import type { WorkerContext } from './context.js'
import type { Dialect, Flow } from './dialect.js'
import { TextDialect } from './text-dialect.js'

/**
 * The first byte of a client that speaks the binary protocol, which is not spoken here. It would wait for ever for an
 * answer that it can read, so it is hung up on.
 */
const BINARY_MAGIC = 0x80

/** Every connection begins with it. */
export class Negotiation implements Dialect {
  readonly needed = 0
  readonly #context: WorkerContext
  readonly #flow: Flow

  constructor(context: WorkerContext, flow: Flow) {
    this.#context = context
    this.#flow = flow
  }

  answer(bytes: Bytes, start: number): number {
    if (bytes.u8[start] === BINARY_MAGIC) this.#flow.close()
    else if (this.#context.credentials === undefined) this.#flow.speak(new TextDialect(this.#context, this.#flow))
    else this.#flow.speak(new AsciiGate(this.#context, this.#flow))
    return start
  }

  sent(): void {}
}
