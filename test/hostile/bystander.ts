/** An ordinary client beside an assault: its requests must be answered rightly all the while, and how soon is told. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { type Door, password, user } from './doors.js'

export interface Service {
  requests: number
  p50Ms: number
  p99Ms: number
  worstMs: number
}

const patienceMs = 30_000
/** Between two requests: a modest client. */
const pauseMs = 2

export class Bystander {
  readonly #socket: Socket
  readonly #took: number[] = []
  #stopping = false
  #done: Promise<void> = Promise.resolve()
  #got = ''
  #wake: () => void = () => undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#got += text
      this.#wake()
    })
    socket.on('close', () => this.#wake())
  }

  static async begin(door: Door): Promise<Bystander> {
    const bystander = new Bystander(await door.open())
    if (door.kind === 'password') {
      const words = `${user} ${password}`
      await bystander.#ask(`set a 0 0 ${words.length}\r\n${words}\r\n`, 'STORED\r\n')
    }
    bystander.#done = bystander.#live()
    // Whoever waits for its end hears of a failure; until then it must not end the process.
    bystander.#done.catch(() => undefined)
    return bystander
  }

  async #live(): Promise<void> {
    for (let count = 0; !this.#stopping; count++) {
      const value = `value ${count}`
      const began = performance.now()
      await this.#ask(
        `set bystander 0 0 ${value.length}\r\n${value}\r\nget bystander\r\n`,
        `STORED\r\nVALUE bystander 0 ${value.length}\r\n${value}\r\nEND\r\n`,
      )
      this.#took.push(performance.now() - began)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  async #ask(request: string, wanted: string): Promise<void> {
    this.#socket.write(request, 'latin1')
    const giveUpAt = performance.now() + patienceMs
    while (this.#got.length < wanted.length && !this.#socket.destroyed && performance.now() < giveUpAt) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, patienceMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    const got = this.#got
    this.#got = ''
    assert.equal(got, wanted, 'a bystander was not served')
  }

  /** Goes without a word, where something else has failed. */
  leave(): void {
    this.#stopping = true
    this.#socket.destroy()
  }

  /** Throws when any of its requests was not answered, or wrongly. */
  async end(): Promise<Service> {
    this.#stopping = true
    await this.#done
    this.#socket.destroy()
    const sorted = this.#took.sort((a, b) => a - b)
    const at = (share: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))])
    return { requests: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), worstMs: at(1) }
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
