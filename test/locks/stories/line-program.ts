/** A program in another language that takes an order a line, and answers each with a line. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export class LineProgram {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>
  #said = ''

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args)
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text
    })
  }

  async ask(order: string): Promise<string> {
    this.#child.stdin.write(`${order}\n`)
    const { done, value } = await this.#lines.next()
    if (done) throw new Error(`the program ended:\n${this.#said}`)
    return value
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}
