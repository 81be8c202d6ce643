/** A server that is filled as fast as it goes: many requests in one write, of which it answers only those that it refuses. */
import { connect, type Socket } from 'node:net'
import { type Crowded, filler } from './crowd.js'
import { LaboratoryError } from './errors.js'
import type { Address } from './wires.js'

const NOOP = 'mn\r\n'
const NOOP_DONE = 'MN\r\n'
const REFUSED = /^SERVER_ERROR/gm
const UNKNOWN_SIZE = 200

export class CrowdedServer implements Crowded {
  readonly #address: Address
  #socket: Socket | undefined

  constructor(address: Address) {
    this.#address = address
  }

  async sizeOf(key: string): Promise<number | undefined> {
    const said = await this.#ask(`me ${key}\r\n`)
    if (!said.startsWith('ME')) return undefined
    return Number(/ size=(\d+)/.exec(said)?.[1] ?? UNKNOWN_SIZE)
  }

  async put(keys: readonly string[], bytes: number): Promise<number> {
    const requests = keys.map((key) => {
      const value = filler(key, bytes)
      return `ms ${key} ${value.length} q\r\n${value}\r\n`
    })
    return keys.length - (await this.#ask(requests.join(''))).split(REFUSED).length + 1
  }

  async remove(keys: readonly string[]): Promise<void> {
    await this.#ask(keys.map((key) => `delete ${key} noreply\r\n`).join(''))
  }

  async close(): Promise<void> {
    this.#socket?.destroy()
  }

  /** All that is said to it, until it has come to the end. */
  #ask(requests: string): Promise<string> {
    const socket = this.#open()
    return new Promise((resolve, reject) => {
      let said = ''
      const hear = (text: string) => {
        said += text
        if (said.endsWith(NOOP_DONE)) done(() => resolve(said))
      }
      const lost = () => done(() => reject(new LaboratoryError('a server is gone that was to be filled')))
      const done = (settle: () => void) => {
        socket.off('data', hear).off('close', lost)
        settle()
      }
      socket.on('data', hear).once('close', lost)
      if (socket.destroyed) lost()
      else socket.write(requests + NOOP)
    })
  }

  /** Another one when the server has been away. */
  #open(): Socket {
    if (this.#socket === undefined || this.#socket.destroyed) {
      this.#socket = connect(this.#address.port, this.#address.host).setEncoding('latin1')
      // Its close comes next.
      this.#socket.on('error', () => {})
    }
    return this.#socket
  }
}
