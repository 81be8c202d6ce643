/** Plays a transcript against a server, in one of three deliveries, and fails on the first line that differs. */
import { setTimeout as sleep, setImmediate as tick } from 'node:timers/promises'
import type { ServerProcess } from '../support/process.js'
import { Wire } from '../support/wire.js'
import { bytesToSend, mismatch, type Names, newlinesIn, type Part } from './notation.js'
import type { Step, Transcript } from './transcript.js'

/**
 * steps: each line is sent when the replies to the one before are in.
 * bytes: likewise, but every byte is its own write.
 * batch: everything is sent at once, as far as tokens, sleeps and other connections let it.
 */
export type Delivery = 'steps' | 'bytes' | 'batch'

const readsReplies: ReadonlySet<Step['kind']> = new Set(['expect', 'many', 'has', 'until'])

/** Of a long send, this much at each end goes byte by byte, and what is between in one piece. */
const byteWiseEnds = 400

export class Player {
  #server: ServerProcess
  #delivery: Delivery
  #wires = new Map<string, Wire>()
  #wire!: Wire
  #names: Names = new Map()
  #taken: string[] = []
  /** Of a batch: bytes not sent yet, and the expectations that wait for them. */
  #unsent = ''
  #waiting: Step[] = []

  constructor(server: ServerProcess, delivery: Delivery) {
    this.#server = server
    this.#delivery = delivery
  }

  async play(transcript: Transcript): Promise<void> {
    try {
      await this.#connect('main')
      for (const step of transcript.steps) await this.#at(transcript, step, () => this.#step(transcript, step))
      await this.#settle(transcript)
      for (const [name, wire] of this.#wires) await this.#inStep(name, wire)
    } finally {
      for (const wire of this.#wires.values()) wire.close()
    }
  }

  async #step(transcript: Transcript, step: Step): Promise<void> {
    if (step.kind === 'send') return this.#send(transcript, step.parts)
    if (this.#delivery === 'batch' && readsReplies.has(step.kind)) {
      this.#waiting.push(step)
      return
    }
    await this.#settle(transcript)
    if (step.kind === 'sleep') await sleep(step.ms)
    else if (step.kind === 'connection') await this.#connect(step.name)
    else if (step.kind === 'abandon') this.#drop().close()
    else if (step.kind === 'closed') await this.#drop().expectClosed()
    else await this.#check(step)
  }

  async #send(transcript: Transcript, parts: Part[]): Promise<void> {
    // A token that no reply has given yet: in a batch the replies so far are still to be read.
    if (bytesToSend(parts, this.#names) === undefined) await this.#settle(transcript)
    const bytes = bytesToSend(parts, this.#names)
    if (bytes === undefined) throw new Error('sends a token that no reply has given')
    if (this.#delivery === 'batch') this.#unsent += bytes
    else if (this.#delivery === 'bytes') await this.#sendByteWise(bytes)
    else await this.#wire.send(bytes)
  }

  async #sendByteWise(bytes: string): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const middle = at >= byteWiseEnds && at < bytes.length - byteWiseEnds
      const end = middle ? bytes.length - byteWiseEnds : at + 1
      await this.#wire.send(bytes.slice(at, end))
      // Without a turn of the event loop the kernel would join the writes more often than not.
      await tick()
      at = end
    }
  }

  async #settle(transcript: Transcript): Promise<void> {
    if (this.#unsent !== '') await this.#wire.send(this.#unsent)
    this.#unsent = ''
    const waiting = this.#waiting
    this.#waiting = []
    for (const step of waiting) await this.#at(transcript, step, () => this.#check(step))
  }

  async #check(step: Step): Promise<void> {
    if (step.kind === 'expect') return this.#expect(step.parts)
    if (step.kind === 'many') return this.#expectMany(step.parts)
    if (step.kind === 'until') return this.#expectUntil(step.parts)
    if (step.kind !== 'has') throw new Error(`nothing to check: ${step.kind}`)
    if (!this.#taken.some((line) => mismatch(step.parts, line, this.#names) === undefined))
      throw new Error(`no such line among\n${this.#taken.join('\n')}`)
  }

  async #expect(parts: Part[]): Promise<void> {
    let got = ''
    for (let lines = newlinesIn(parts) + 1; lines > 0; lines--) got += (await this.#wire.takeLine()).toString('latin1')
    const body = got.endsWith('\r\n') ? got.slice(0, -2) : undefined
    const wrong = body === undefined ? 'it does not end \\r\\n' : mismatch(parts, body, this.#names)
    if (wrong !== undefined) throw new Error(`${wrong}; got ${shown(got)}`)
  }

  async #expectMany(parts: Part[]): Promise<void> {
    this.#taken = []
    for (;;) {
      const line = await this.#peekLine()
      // Metadump ends its lines with a bare newline, everything else with \r\n.
      const body = line.replace(/\r?\n$/, '')
      if (line === '' || mismatch(parts, body, this.#names) !== undefined) return
      await this.#wire.take(line.length)
      this.#taken.push(body)
    }
  }

  /** Watchers are told many things, in an order that only the server knows. */
  async #expectUntil(parts: Part[]): Promise<void> {
    const passed: string[] = []
    for (;;) {
      const line = (await this.#wire.takeLine()).toString('latin1')
      if (line === '') throw new Error(`did not come; but\n${passed.join('')}`)
      if (mismatch(parts, line.replace(/\r?\n$/, ''), this.#names) === undefined) return
      passed.push(line)
    }
  }

  async #peekLine(): Promise<string> {
    const line = await this.#wire.takeLine()
    this.#wire.putBack(line)
    return line.toString('latin1')
  }

  async #connect(name: string): Promise<void> {
    const known = this.#wires.get(name)
    this.#wire = known ?? (await Wire.open(this.#server))
    this.#wires.set(name, this.#wire)
  }

  #drop(): Wire {
    for (const [name, wire] of this.#wires) if (wire === this.#wire) this.#wires.delete(name)
    return this.#wire
  }

  /** Nothing is left over on a connection: the next reply belongs to the next request. */
  async #inStep(name: string, wire: Wire): Promise<void> {
    await wire.send('mn\r\n')
    const got = (await wire.takeLine()).toString('latin1')
    if (got !== 'MN\r\n') throw new Error(`at the end, @${name} should be in step; mn got ${shown(got)}`)
  }

  async #at(transcript: Transcript, step: Step, act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (error instanceof TranscriptError) throw error
      const died = this.#server.alive() ? '' : `\n${this.#server.name} has died:\n${this.#server.stderr()}`
      const why = error instanceof Error ? error.message : String(error)
      throw new TranscriptError(`${transcript.name}:${step.line}: ${step.text}\n  ${why}${died}`)
    }
  }
}

class TranscriptError extends Error {}

function shown(text: string): string {
  return text === '' ? 'nothing' : JSON.stringify(text.length > 400 ? `${text.slice(0, 400)}…` : text)
}
