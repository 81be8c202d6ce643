/** A lane's kept connections to one server. */
import type { ServerProcess } from '../../support/process.js'
import { Wire } from '../../support/wire.js'
import type { Random } from '../random.js'
import type { Command } from './conversation.js'
import { keysOf, TOKEN } from './material.js'
import { Tokens, withNamedTokens } from './replies.js'

/** What nobody has: its reply tells that all before it is answered. No value has these words in it. */
const question = 'ma nothing Odone\r\n'
const answer = 'NF Odone\r\n'
/** A bound for hangs only. */
const waitMs = 10_000

export class Seat {
  readonly #server: ServerProcess
  readonly #lane: number
  #wires: (Wire | undefined)[] = []
  #tokens = new Tokens()

  constructor(server: ServerProcess, lane: number) {
    this.#server = server
    this.#lane = lane
  }

  /** So that no conversation sees the first tokens, which are said as wrong ones. */
  async giveFirstTokens(): Promise<void> {
    const wire = await this.#wire(0)
    await wire.send(`set ${keysOf(this.#lane)[0]} 0 0 0\r\n\r\n`.repeat(3) + question)
    await wire.takeUntil(answer, waitMs)
  }

  /** A conversation begins: nothing is stored under the lane's keys. */
  async begin(alone: boolean): Promise<void> {
    this.#tokens = new Tokens()
    const wire = await this.#wire(0)
    const deletions = keysOf(this.#lane).map((key) =>
      key.includes(' ') ? `md ${Buffer.from(key, 'latin1').toString('base64')} b\r\n` : `delete ${key} noreply\r\n`,
    )
    await wire.send(`${alone ? 'flush_all\r\n' : ''}${deletions.join('')}${question}`)
    await wire.takeUntil(answer, waitMs)
  }

  /** Says commands of one connection, all at once or cut in pieces. The reply, with its tokens named. */
  async say(commands: readonly Command[], cuts: Random | undefined): Promise<string> {
    const { on, closes } = commands[commands.length - 1]
    const text = commands.map((command) => this.#bytesOf(command)).join('') + (closes ? '' : question)
    const wire = await this.#wire(on)
    for (const piece of cuts ? inPieces(text, cuts) : [text]) await wire.send(piece)
    return withNamedTokens(closes ? await this.#toClose(wire) : await this.#toAnswer(wire, on), this.#tokens)
  }

  async #toAnswer(wire: Wire, on: number): Promise<string> {
    const reply = (await wire.takeUntil(answer, waitMs)).toString('latin1')
    if (reply.endsWith(answer)) return reply.slice(0, -answer.length)
    this.#wires[on] = undefined
    const { closed } = wire
    wire.close()
    return `${reply}<${closed ? 'closed' : 'silent'}>\r\n`
  }

  async #toClose(wire: Wire): Promise<string> {
    try {
      return (await wire.takeToClose(waitMs)).toString('latin1')
    } catch {
      return '<still open>\r\n'
    } finally {
      this.close()
    }
  }

  #bytesOf({ text }: Command): string {
    return text.replace(/[\u0100-\uffff]/g, (sign) => `${this.#tokens.recall(sign.charCodeAt(0) - TOKEN)}`)
  }

  async #wire(on: number): Promise<Wire> {
    const known = this.#wires[on]
    if (known !== undefined && !known.closed) return known
    const wire = await Wire.open(this.#server)
    this.#wires[on] = wire
    return wire
  }

  close(): void {
    for (const wire of this.#wires) wire?.close()
    this.#wires = []
  }
}

/** One to five pieces; sometimes the first bytes one by one. */
function inPieces(text: string, random: Random): string[] {
  const cuts = Array.from({ length: random.below(5) }, () => random.below(text.length))
  if (random.chance(3)) for (let at = 1; at < Math.min(60, text.length); at++) cuts.push(at)
  const ends = [...new Set([...cuts, text.length])].sort((a, b) => a - b)
  return ends.map((end, at) => text.slice(at === 0 ? 0 : ends[at - 1], end)).filter((piece) => piece !== '')
}
