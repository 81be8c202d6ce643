/** Plays a transcript of frames against a server, and fails on the first response that differs. */
import { setTimeout as sleep, setImmediate as tick } from 'node:timers/promises'
import { type Response, request, takeResponse } from '../../support/binary.js'
import type { ServerProcess } from '../../support/process.js'
import { Wire } from '../../support/wire.js'
import { mismatch, type Names } from '../notation.js'
import type { Delivery } from '../play.js'
import type { Transcript } from '../transcript.js'
import type { Step } from './notation.js'

interface Line {
  wire: Wire
  /** What was sent and may still be answered: opcode by opaque, in order. */
  sent: Map<number, number>
  opaque: number
}

/** Of a long frame, this much at its beginning goes byte by byte. */
const byteWise = 300

export class BinaryPlayer {
  readonly #server: ServerProcess
  readonly #delivery: Delivery
  readonly #lines = new Map<string, Line>()
  readonly #names: Names = new Map()
  #line!: Line
  #text: Wire | undefined
  #unsent: Buffer[] = []
  #waiting: (() => Promise<void>)[] = []

  constructor(server: ServerProcess, delivery: Delivery) {
    this.#server = server
    this.#delivery = delivery
  }

  async play(transcript: Transcript<Step>): Promise<void> {
    try {
      await this.#connect('main')
      for (const step of transcript.steps) {
        const name = `${transcript.name}:${step.line}: ${step.text.slice(0, 200)}`
        await this.#named(name, () => this.#step(step, name))
      }
      await this.#settle()
      await this.#inStep()
    } finally {
      for (const { wire } of this.#lines.values()) wire.close()
      this.#text?.close()
    }
  }

  async #step(step: Step, name: string): Promise<void> {
    if (step.kind === 'request') return this.#request(step)
    if (step.kind === 'raw') return this.#send(Buffer.from(step.bytes, 'latin1'))
    if (this.#delivery === 'batch' && (step.kind === 'response' || step.kind === 'stats')) {
      this.#waiting.push(() => this.#named(name, () => this.#check(step)))
      return
    }
    await this.#settle()
    await this.#check(step)
  }

  async #request({ build }: Step & { kind: 'request' }): Promise<void> {
    let parts: ReturnType<typeof build>
    try {
      parts = build(this.#names)
    } catch {
      // A token that no reply has given yet: in a batch the replies so far are still to be read.
      await this.#settle()
      parts = build(this.#names)
    }
    const line = this.#line
    line.opaque = (line.opaque + 0x01010101) >>> 0
    line.sent.set(line.opaque, parts.opcode)
    await this.#send(request({ ...parts, opaque: line.opaque }))
  }

  async #send(bytes: Buffer): Promise<void> {
    const { wire } = this.#line
    if (this.#delivery === 'batch') this.#unsent.push(bytes)
    else if (this.#delivery === 'steps') await wire.send(bytes)
    else {
      const end = Math.min(byteWise, bytes.length)
      for (let at = 0; at < end; at++) {
        await wire.send(bytes.subarray(at, at + 1))
        await tick()
      }
      await wire.send(bytes.subarray(end))
    }
  }

  async #settle(): Promise<void> {
    if (this.#unsent.length > 0) await this.#line.wire.send(Buffer.concat(this.#unsent))
    this.#unsent = []
    const waiting = this.#waiting
    this.#waiting = []
    for (const check of waiting) await check()
  }

  async #check(step: Step): Promise<void> {
    if (step.kind === 'sleep') await sleep(step.ms)
    else if (step.kind === 'connection') await this.#connect(step.name)
    else if (step.kind === 'abandon') this.#drop().wire.close()
    else if (step.kind === 'closed') await this.#drop().wire.expectClosed()
    else if (step.kind === 'text') await (await this.#textWire()).send(step.sent)
    else if (step.kind === 'line') await this.#textLine(step)
    else if (step.kind === 'stats') await this.#stats(step.wanted)
    else if (step.kind === 'response') {
      const wrong = step.check(await this.#take(), this.#names)
      if (wrong !== undefined) throw new Error(wrong)
    }
  }

  /** Responses come in the order of their requests; to some requests there is none. */
  async #take(): Promise<Response> {
    const { wire, sent } = this.#line
    const response = await takeResponse(wire)
    if (response === undefined) throw new Error('no response came')
    if (sent.get(response.opaque) !== response.opcode)
      throw new Error(`to no request: ${JSON.stringify(shown(response))}`)
    for (const opaque of sent.keys()) {
      if (opaque === response.opaque) break
      sent.delete(opaque)
    }
    return response
  }

  async #stats(wanted: string[]): Promise<void> {
    const names: string[] = []
    for (;;) {
      const { key, status } = await this.#take()
      if (status !== 0) throw new Error(`status ${status}`)
      if (key === '') break
      names.push(key)
    }
    for (const name of wanted) if (!names.includes(name)) throw new Error(`no ${name} among ${names.join(' ')}`)
  }

  async #textLine({ parts }: Step & { kind: 'line' }): Promise<void> {
    const got = (await (await this.#textWire()).takeLine()).toString('latin1')
    const wrong = mismatch(parts, got.replace(/\r?\n$/, ''), this.#names)
    if (wrong !== undefined) throw new Error(`${wrong}; got ${JSON.stringify(got)}`)
  }

  async #textWire(): Promise<Wire> {
    this.#text ??= await Wire.open(this.#server)
    return this.#text
  }

  async #connect(name: string): Promise<void> {
    const known = this.#lines.get(name)
    this.#line = known ?? { wire: await Wire.open(this.#server), sent: new Map(), opaque: 0x80000000 }
    this.#lines.set(name, this.#line)
  }

  #drop(): Line {
    for (const [name, line] of this.#lines) if (line === this.#line) this.#lines.delete(name)
    return this.#line
  }

  /** Nothing is left over on a connection: the next response belongs to the next request. */
  async #inStep(): Promise<void> {
    for (const [name, { wire }] of this.#lines) {
      await wire.send(request({ opcode: 0x0b, opaque: 7 }))
      const response = await takeResponse(wire)
      if (response?.opcode !== 0x0b || response.opaque !== 7) throw new Error(`at the end, @${name} is out of step`)
    }
  }

  async #named(name: string, act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (error instanceof BinaryError) throw error
      const died = this.#server.alive() ? '' : `\n${this.#server.name} has died:\n${this.#server.stderr()}`
      throw new BinaryError(`${name}\n  ${(error as Error).message}${died}`)
    }
  }
}

class BinaryError extends Error {}

function shown(response: Response): object {
  return { ...response, cas: `${response.cas}`, value: response.value.slice(0, 100) }
}
