/** A lane's kept connections to one server. */
import type { ServerProcess } from '../../support/process.js'
import { Wire } from '../../support/wire.js'
import type { Random } from '../random.js'
import { frame } from './binary-commands.js'
import { BINARY, type Command } from './conversation.js'
import { keysOf, TOKEN } from './material.js'
import { binaryLines, Tokens, withNamedTokens } from './replies.js'

/** What nobody has: its reply tells that all before it is answered. No value has these words in it. */
const inText = { question: 'ma nothing Odone\r\n', answer: 'NF Odone\r\n' }
const noop = frame(0x0a, { opaque: 'done' })
const inBinary = { question: noop, answer: `\x81${noop.slice(1)}` }
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
    await wire.send(`set ${keysOf(this.#lane)[0]} 0 0 0\r\n\r\n`.repeat(3) + inText.question)
    await wire.takeUntil(inText.answer, waitMs)
  }

  /** A conversation begins: nothing is stored under the lane's keys. */
  async begin(alone: boolean): Promise<void> {
    this.#tokens = new Tokens()
    const wire = await this.#wire(0)
    const deletions = keysOf(this.#lane).map((key) =>
      key.includes(' ') ? `md ${Buffer.from(key, 'latin1').toString('base64')} b\r\n` : `delete ${key} noreply\r\n`,
    )
    await wire.send(`${alone ? 'flush_all\r\n' : ''}${deletions.join('')}${inText.question}`)
    await wire.takeUntil(inText.answer, waitMs)
  }

  /** Says commands of one connection, all at once or cut in pieces. The reply, with its tokens named. */
  async say(commands: readonly Command[], cuts: Random | undefined): Promise<string> {
    const { on, closes } = commands[commands.length - 1]
    const { question, answer } = on === BINARY ? inBinary : inText
    const text = commands.map((command) => this.#bytesOf(command)).join('') + (closes ? '' : question)
    const wire = await this.#wire(on)
    // What is sent to a server that has closed already may cost the reply.
    for (const piece of cuts && !closes ? inPieces(text, cuts) : [text]) await wire.send(piece)
    const { reply, end } = closes ? await this.#toClose(wire) : await this.#toAnswer(wire, on, answer)
    const named = on === BINARY ? binaryLines(reply, this.#tokens) : withNamedTokens(reply, this.#tokens)
    return named + end
  }

  async #toAnswer(wire: Wire, on: number, answer: string): Promise<Said> {
    const reply = (await wire.takeUntil(answer, waitMs)).toString('latin1')
    if (reply.endsWith(answer)) return { reply: reply.slice(0, -answer.length), end: '' }
    this.#wires[on] = undefined
    const { closed } = wire
    wire.close()
    return { reply, end: `<${closed ? 'closed' : 'silent'}>\r\n` }
  }

  async #toClose(wire: Wire): Promise<Said> {
    try {
      return { reply: (await wire.takeToClose(waitMs)).toString('latin1'), end: '' }
    } catch {
      return { reply: wire.peek().toString('latin1'), end: '<still open>\r\n' }
    } finally {
      this.close()
    }
  }

  #bytesOf({ text, on }: Command): string {
    return text.replace(/[\u0100-\uffff]/g, (sign) => {
      const token = this.#tokens.recall(sign.charCodeAt(0) - TOKEN)
      return on === BINARY ? bigEndian(token) : `${token}`
    })
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

/** What came, and how it ended if not as it should. */
interface Said {
  readonly reply: string
  readonly end: string
}

function bigEndian(token: bigint): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(token)
  return bytes.toString('latin1')
}

/** One to five pieces; sometimes the first bytes one by one. */
function inPieces(text: string, random: Random): string[] {
  const cuts = Array.from({ length: random.below(5) }, () => random.below(text.length))
  if (random.chance(3)) for (let at = 1; at < Math.min(60, text.length); at++) cuts.push(at)
  const ends = [...new Set([...cuts, text.length])].sort((a, b) => a - b)
  return ends.map((end, at) => text.slice(at === 0 ? 0 : ends[at - 1], end)).filter((piece) => piece !== '')
}
