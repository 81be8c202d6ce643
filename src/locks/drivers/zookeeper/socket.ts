/** A connection that carries frames with their length in front. It is told once that it has ended, and why. */
import { connect, type Socket } from 'node:net'

/** Far above what is asked for here; what says more is no ZooKeeper. */
const LONGEST_BYTES = 16 << 20

export interface Address {
  readonly host: string
  readonly port: number
}

export interface Heard {
  frame(frame: Buffer): void
  end(why: Error): void
}

export class FrameSocket {
  readonly #socket: Socket
  readonly #heard: Heard
  #rest: Buffer = Buffer.alloc(0)
  #ended = false

  constructor(address: Address, heard: Heard) {
    this.#heard = heard
    this.#socket = connect({ ...address, noDelay: true })
    this.#socket.on('data', (bytes) => this.#arrived(bytes))
    this.#socket.on('error', (error) => this.end(error))
    this.#socket.on('close', () => this.end(new Error('the connection ended')))
  }

  /** An idle one keeps no process going. */
  keepGoing(busy: boolean): void {
    if (busy) this.#socket.ref()
    else this.#socket.unref()
  }

  send(frame: Buffer): void {
    const head = Buffer.alloc(4)
    head.writeInt32BE(frame.length)
    this.#socket.write(Buffer.concat([head, frame]))
  }

  end(why: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#socket.destroy()
    this.#heard.end(why)
  }

  #arrived(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    while (this.#rest.length >= 4 && !this.#ended) {
      const length = this.#rest.readInt32BE()
      if (length < 0 || length > LONGEST_BYTES) this.end(new Error('what answers is no ZooKeeper'))
      if (this.#rest.length < 4 + length) return
      const frame = this.#rest.subarray(4, 4 + length)
      this.#rest = this.#rest.subarray(4 + length)
      try {
        this.#heard.frame(frame)
      } catch (error) {
        this.end(error as Error)
      }
    }
  }
}
