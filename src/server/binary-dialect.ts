/** The binary protocol. Commands with a key go to the executor, those about the server to `binary-admin.ts`. */
import { binary } from '../protocol/index.js'
import type { Bytes } from '../store/index.js'
import { listMechanisms } from './auth/sasl.js'
import { runFlush, runStat, runVerbosity } from './binary-admin.js'
import type { WorkerContext } from './context.js'
import type { Dialect, Flow } from './dialect.js'

const { BinaryStatus, Framed, Opcode } = binary

export class BinaryDialect implements Dialect {
  needed = 0
  readonly #context: WorkerContext
  readonly #flow: Flow
  readonly #gate: Dialect | undefined
  /** Bytes that nobody wants still to be thrown away. */
  #dropping = 0
  /** Where answering stopped, when `#request` says that it did. */
  #stoppedAt = 0

  /** Who authenticates anew goes back to the `gate`. Without one nobody has to, and there are no such commands. */
  constructor(context: WorkerContext, flow: Flow, gate?: Dialect) {
    this.#context = context
    this.#flow = flow
    this.#gate = gate
  }

  answer(bytes: Bytes, start: number, end: number): number {
    this.needed = 0
    let at = start
    while (at < end) {
      if (this.#dropping > 0) {
        const count = Math.min(this.#dropping, end - at)
        this.#dropping -= count
        at += count
        continue
      }
      if (!this.#flow.mayAnswer()) return at
      at = this.#request(bytes, at, end)
      if (at < 0) return this.#stoppedAt
    }
    return at
  }

  sent(): void {}

  /** Answers the frame at `at`. The offset behind it, or −1 when nothing after it can be answered now. */
  #request(bytes: Bytes, at: number, end: number): number {
    const { binaryExecutor } = this.#context
    const { frame } = binaryExecutor
    const framed = binary.parseFrame(frame, bytes, at, end)
    this.#stoppedAt = at
    if (framed === Framed.Incomplete) return -1
    if (framed !== Framed.Ready) return this.#refused(framed)
    const { shape } = frame
    if (shape.command >= Opcode.SaslList) return this.#sasl()
    if (shape.hasValue) return this.#store(bytes, at, end)
    if (shape.key !== 'required') return this.#serve()
    binaryExecutor.run(bytes)
    return frame.end
  }

  #refused(framed: binary.Framed): number {
    const { binaryExecutor, out } = this.#context
    const { frame } = binaryExecutor
    if (framed === Framed.Unknown) return this.#unknown()
    if (framed === Framed.Refused) binary.writeStatus(out, frame, frame.status)
    this.#flow.close()
    return -1
  }

  #unknown(): number {
    const { binaryExecutor, out } = this.#context
    const { frame } = binaryExecutor
    binary.writeStatus(out, frame, BinaryStatus.UnknownCommand)
    this.#dropping = frame.bodyLength
    return frame.extrasStart
  }

  /** The offset behind the value, or −1 when it is not all there. */
  #store(bytes: Bytes, at: number, end: number): number {
    const { binaryExecutor, settings } = this.#context
    const { frame } = binaryExecutor
    if (frame.valueLength > settings.itemMax) {
      binaryExecutor.refuseTooLarge()
      this.#dropping = frame.valueLength
      return frame.valueStart
    }
    if (frame.end > end) {
      this.needed = frame.end - at
      return -1
    }
    binaryExecutor.run(bytes)
    return frame.end
  }

  #serve(): number {
    const { binaryExecutor } = this.#context
    this.#stoppedAt = binaryExecutor.frame.end
    try {
      return this.#command() ? this.#stoppedAt : -1
    } catch (error) {
      binaryExecutor.fail(error)
      return this.#stoppedAt
    }
  }

  /** False when nothing is to be answered behind it for now. */
  #command(): boolean {
    const { binaryExecutor, out, settings } = this.#context
    const { frame } = binaryExecutor
    switch (frame.shape.command) {
      case Opcode.Stat:
        this.#flow.endTurn()
        return runStat(this.#context, this.#flow)
      case Opcode.Flush:
        this.#flow.endTurn()
        runFlush(this.#context)
        return true
      case Opcode.Verbosity:
        runVerbosity(this.#context)
        return true
      case Opcode.Version:
        binary.writeStrings(out, frame, BinaryStatus.Ok, '', settings.version)
        return true
      case Opcode.Quit:
        if (!frame.shape.quiet) binary.writeSuccess(out, frame)
        this.#flow.close()
        return false
      default:
        binary.writeSuccess(out, frame)
        return true
    }
  }

  #sasl(): number {
    const { frame } = this.#context.binaryExecutor
    if (this.#gate === undefined) return this.#unknown()
    if (frame.shape.command === Opcode.SaslList) {
      listMechanisms(this.#context)
      return frame.end
    }
    this.#flow.speak(this.#gate)
    return -1
  }
}
