import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { fastWriter } from '../support/fast-write.js'

/** One buffer for all connections: what is read is counted and forgotten before the next read. */
const readBuffer = Buffer.allocUnsafe(256 * 1024)

/** Sends a batch, counts the bytes that come back, and calls `onReply` when they are all there. */
export class BatchConnection {
  onReply: (connection: BatchConnection) => void = () => {}
  /** Called with every piece that arrives while replies are being checked. */
  onBytes: ((bytes: Buffer) => void) | undefined
  /** Where in the pool this connection is. */
  position = 0
  #missing = 0
  readonly #write: (bytes: Uint8Array) => void

  private constructor(readonly socket: Socket) {
    this.#write = fastWriter(socket)
  }

  static async open(port: number, overTls: boolean): Promise<BatchConnection> {
    let connection: BatchConnection | undefined
    const callback = (length: number) => {
      connection?.received(length)
      return true
    }
    const at = { port, host: '127.0.0.1', noDelay: true, onread: { buffer: readBuffer, callback } }
    // The certificate is the tests' own: nobody else vouches for it.
    const socket = overTls ? connectTls({ ...at, rejectUnauthorized: false }) : connect(at)
    await once(socket, overTls ? 'secureConnect' : 'connect')
    socket.on('error', fail).on('end', () => fail(new Error('the server closed a connection')))
    connection = new BatchConnection(socket)
    return connection
  }

  send(bytes: Uint8Array, replyBytes: number): void {
    this.#missing = replyBytes
    this.#write(bytes)
  }

  private received(length: number): void {
    this.onBytes?.(readBuffer.subarray(0, length))
    this.#missing -= length
    if (this.#missing > 0) return
    if (this.#missing < 0) {
      fail(new Error(`a reply of the wrong size: ${readBuffer.toString('latin1', Math.max(0, length - 200), length)}`))
    }
    this.onReply(this)
  }
}

/** A wrong reply makes every figure worthless: the generator process ends, and its parent reports it. */
function fail(error: Error): never {
  console.error(error)
  process.exit(1)
}
