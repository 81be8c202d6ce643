import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const newline = 10

/** One connection that sends requests answered by one line each, and waits for as many lines. */
export class Wire {
  #pieces: Buffer[] = []
  #complete: (piece: Buffer) => boolean = () => true
  #resolve: (reply: Buffer) => void = () => {}
  #reject: (error: Error) => void = () => {}
  #failure: Error | undefined

  private constructor(readonly socket: Socket) {
    socket.on('data', (piece: Buffer) => this.#received(piece))
    socket.on('error', (error) => this.#fail(error)).on('end', () => this.#fail(new Error('the server hung up')))
  }

  static async open(port: number): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new Wire(socket)
  }

  /** Resolves with everything answered once `lines` lines are there. One exchange at a time. */
  exchange(bytes: Buffer, lines: number): Promise<Buffer> {
    let missing = lines
    return this.#send(bytes, (piece) => {
      missing -= countLines(piece)
      return missing <= 0
    })
  }

  async stats(): Promise<Map<string, string>> {
    const reply = await this.#send(Buffer.from('stats\r\n'), (piece) => piece.toString('latin1').endsWith('END\r\n'))
    const lines = reply
      .toString('latin1')
      .split('\r\n')
      .map((line) => line.split(' '))
    return new Map(lines.filter(([word]) => word === 'STAT').map(([, name, value]) => [name, value]))
  }

  close(): void {
    this.socket.removeAllListeners('end').destroy()
  }

  #send(bytes: Buffer, complete: (piece: Buffer) => boolean): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#complete = complete
      this.#resolve = resolve
      this.#reject = reject
      this.socket.write(bytes)
    })
  }

  #received(piece: Buffer): void {
    this.#pieces.push(piece)
    if (!this.#complete(piece)) return
    const reply = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#resolve(reply)
  }

  #fail(error: Error): void {
    this.#failure = error
    this.#reject(error)
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) lines++
  return lines
}
