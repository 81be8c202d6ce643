/** A raw connection for tests: bytes out, bytes in, nothing understood. Strings are latin1, one character a byte. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { reset } from 'latchkey/torture'
import { type Dialled, dial } from './dial.js'

/** A bound for hangs only: no test may depend on how soon an answer comes inside it. */
export const hangMs = 10_000

export class Wire {
  #socket: Socket
  #chunks: Buffer[] = []
  #length = 0
  #ended = false
  #wake: (() => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#push(chunk))
    // A reset is a close too: which of the two a test sees depends on what was still unread.
    socket.on('error', () => this.#end())
    socket.on('close', () => this.#end())
    socket.on('end', () => this.#end())
  }

  static async open(server: Dialled): Promise<Wire> {
    return new Wire(await dial(server))
  }

  /** True once the other side has closed, or the connection broke. */
  get closed(): boolean {
    return this.#ended
  }

  /** Resolves when the bytes were handed to the system, also when the other side is gone by then. */
  send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    return new Promise((resolve) => {
      if (this.#ended || this.#socket.destroyed) resolve()
      else this.#socket.write(bytes, () => resolve())
    })
  }

  /** What has arrived and was not taken yet. */
  peek(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] ?? Buffer.alloc(0)
  }

  /** Takes exactly `length` bytes; fewer when the connection closes, or nothing more came for `waitMs`. */
  async take(length: number, waitMs = hangMs): Promise<Buffer> {
    await this.#until(() => this.#length >= length, waitMs)
    return this.#cut(Math.min(length, this.#length))
  }

  /** Takes up to and including the first `end`; all there is when it closes or nothing more comes for `waitMs`. */
  async takeUntil(end: string, waitMs = hangMs): Promise<Buffer> {
    const find = () => this.peek().indexOf(end, 0, 'latin1')
    await this.#until(() => find() >= 0, waitMs)
    const at = find()
    return this.#cut(at < 0 ? this.#length : at + end.length)
  }

  /** One line, with its newline. */
  takeLine(waitMs = hangMs): Promise<Buffer> {
    return this.takeUntil('\n', waitMs)
  }

  /** Makes bytes that were taken the next ones again. */
  putBack(bytes: Buffer): void {
    this.#chunks.unshift(bytes)
    this.#length += bytes.length
  }

  /** Takes everything up to the close by the other side; throws when it does not close. */
  async takeToClose(waitMs = hangMs): Promise<Buffer> {
    await this.#until(() => this.#ended, waitMs)
    assert.ok(this.#ended, `still open; got ${JSON.stringify(this.peek().toString('latin1'))}`)
    return this.#cut(this.#length)
  }

  /** The next bytes are exactly `wanted`. */
  async expect(wanted: string, waitMs = hangMs): Promise<void> {
    const got = await this.take(Buffer.byteLength(wanted, 'latin1'), waitMs)
    assert.equal(got.toString('latin1'), wanted)
  }

  /** The other side has closed or soon does, and sent nothing more. */
  async expectClosed(waitMs = hangMs): Promise<void> {
    assert.equal((await this.takeToClose(waitMs)).toString('latin1'), '')
  }

  /** Lets what arrives pile up, in the system and on the other side. */
  stopReading(): void {
    this.#socket.pause()
  }

  readOn(): void {
    this.#socket.resume()
  }

  /** Says no more (FIN), but still reads. */
  end(): void {
    this.#socket.end()
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Ends with RST: what is on its way is lost. */
  reset(): void {
    reset(this.#socket)
  }

  #push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    this.#wake?.()
  }

  #end(): void {
    this.#ended = true
    this.#wake?.()
  }

  #cut(length: number): Buffer {
    const all = this.peek()
    this.#chunks = length === all.length ? [] : [all.subarray(length)]
    this.#length = all.length - length
    return all.subarray(0, length)
  }

  /** Waits until `done`, the close, or `waitMs` in which nothing at all arrived. */
  async #until(done: () => boolean, waitMs: number): Promise<void> {
    while (!done() && !this.#ended) {
      const before = this.#length
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = undefined
      if (this.#length === before) return
    }
  }
}
