/**
 * What a binary client can say before it has authenticated: which mechanisms are there, authenticate, and, as with
 * memcached's `-S`, version. Anything else is an authentication failure, and closes. What it may keep us busy with is bounded: one
 * small frame, and so many failures.
 */
import { binary } from '../../protocol/index.js'
import type { Bytes } from '../../store/index.js'
import { BinaryDialect } from '../binary-dialect.js'
import type { WorkerContext } from '../context.js'
import type { Dialect, Flow } from '../dialect.js'
import { listMechanisms, SaslExchange } from './sasl.js'

const { BinaryStatus, Framed, Opcode } = binary

/** Of extras, key and value. No account is longer than 254 bytes. */
const BODY_MAX = 1024
/** More tries than this look for a password. */
const FAILURES_MAX = 100

export class SaslGate implements Dialect {
  needed = 0
  readonly #context: WorkerContext
  readonly #flow: Flow
  readonly #exchange: SaslExchange
  #failures = 0
  #open = false
  #closed = false

  constructor(context: WorkerContext, flow: Flow) {
    this.#context = context
    this.#flow = flow
    this.#exchange = new SaslExchange(context)
  }

  answer(bytes: Bytes, start: number, end: number): number {
    this.needed = 0
    this.#open = false
    let at = start
    while (at < end && !this.#open && !this.#closed && this.#flow.mayAnswer()) {
      const next = this.#try(bytes, at, end)
      if (next < 0) break
      at = next
    }
    return at
  }

  sent(): void {}

  /** The offset behind the frame at `at`, or −1 when it is not all there, or nothing behind it counts. */
  #try(bytes: Bytes, at: number, end: number): number {
    const { frame } = this.#context.binaryExecutor
    const framed = binary.parseFrame(frame, bytes, at, end)
    if (framed === Framed.Incomplete) return -1
    if (framed === Framed.Close) return this.#close()
    if (framed === Framed.Unknown || !isForAll(frame.opcode)) return this.#refuse(BinaryStatus.AuthFailure)
    if (framed === Framed.Refused) return this.#refuse(frame.status)
    if (frame.bodyLength > BODY_MAX) return this.#refuse(BinaryStatus.AuthFailure)
    if (frame.end > end) {
      this.needed = frame.end - at
      return -1
    }
    this.#answer()
    return frame.end
  }

  #answer(): void {
    const { binaryExecutor, out, settings } = this.#context
    const { frame } = binaryExecutor
    const { command } = frame.shape
    if (command === Opcode.Version) binary.writeStrings(out, frame, BinaryStatus.Ok, '', settings.version)
    else if (command === Opcode.SaslList) listMechanisms(this.#context)
    else this.#authenticate()
  }

  #authenticate(): void {
    const { binaryExecutor, out } = this.#context
    const { frame } = binaryExecutor
    const status = this.#exchange.status()
    if (status !== BinaryStatus.Ok) {
      binary.writeStatus(out, frame, status)
      if (++this.#failures >= FAILURES_MAX) this.#close()
      return
    }
    binary.writeStrings(out, frame, status, '', 'Authenticated')
    this.#open = true
    this.#flow.speak(new BinaryDialect(this.#context, this.#flow, this))
  }

  #refuse(status: binary.BinaryStatus): number {
    binary.writeStatus(this.#context.out, this.#context.binaryExecutor.frame, status)
    return this.#close()
  }

  #close(): number {
    this.#closed = true
    this.#flow.close()
    return -1
  }
}

function isForAll(opcode: number): boolean {
  return opcode === Opcode.Version || (opcode >= Opcode.SaslList && opcode <= Opcode.SaslStep)
}
