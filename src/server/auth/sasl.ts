/** SASL over the binary protocol, with its mechanism PLAIN alone: the same accounts as for the text protocol. */
import { binary } from '../../protocol/index.js'
import type { WorkerContext } from '../context.js'
import { Metric } from '../metrics.js'

const { BinaryStatus, Opcode } = binary

/** As memcached has it. Bytes. */
const MECHANISM_MAX = 32

export function listMechanisms({ binaryExecutor, out }: WorkerContext): void {
  binary.writeStrings(out, binaryExecutor.frame, BinaryStatus.Ok, '', binary.PLAIN)
}

/** One client's try to authenticate, which may take two requests. */
export class SaslExchange {
  readonly #context: WorkerContext
  /** The client named the mechanism, and will send the rest in a step. */
  #begun = false

  constructor(context: WorkerContext) {
    this.#context = context
  }

  /** What is to be answered to the auth or step in the frame, all of which is there. */
  status(): binary.BinaryStatus {
    const { source, shape, keyStart, keyLength, valueStart, valueLength, end } = this.#context.binaryExecutor.frame
    if (keyLength > MECHANISM_MAX) return BinaryStatus.Invalid
    const isStep = shape.command === Opcode.SaslStep
    const isKnown = binary.isPlain(source.u8.subarray(keyStart, keyStart + keyLength))
    if (!isStep) this.#begun = isKnown && valueLength === 0
    if (!isStep && this.#begun) return BinaryStatus.AuthContinue
    const authentic = isKnown && (!isStep || this.#begun) && this.#check(source.u8.subarray(valueStart, end))
    this.#count(authentic)
    return authentic ? BinaryStatus.Ok : BinaryStatus.AuthFailure
  }

  #check(message: Uint8Array): boolean {
    const plain = binary.parsePlain(message)
    return plain !== undefined && this.#context.credentials?.check(plain.user, plain.password) === true
  }

  #count(authentic: boolean): void {
    const { metrics } = this.#context
    metrics.add(Metric.AuthCmds, 1)
    if (!authentic) metrics.add(Metric.AuthErrors, 1)
  }
}
