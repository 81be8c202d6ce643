/** Hears from the server itself which keys it evicts. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Wire } from '../../support/wire.js'
import type { Address } from './strangers.js'

const NEWS_MS = 500

export class EvictionWatch {
  /** By key: how often it was evicted, as far as heard. */
  readonly byKey = new Map<string, number>()
  heard = 0
  #isOver = false
  readonly #server: Address
  readonly #running: Promise<void>

  private constructor(server: Address, first: Wire) {
    this.#server = server
    this.#running = this.#run(first)
  }

  static async start(server: Address): Promise<EvictionWatch> {
    const watch = new EvictionWatch(server, await watching(server))
    return watch
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  /** Its own thread of the server may die too: what happens until it is back is not heard. */
  async #run(first: Wire): Promise<void> {
    let wire = first
    while (!this.#isOver) {
      const line = (await wire.takeLine(NEWS_MS)).toString('latin1')
      if (line.endsWith('\n')) this.#hear(line)
      // Half a line, as nothing more came for now.
      else if (line !== '' && !wire.closed) wire.putBack(Buffer.from(line, 'latin1'))
      else if (wire.closed) wire = (await watching(this.#server).catch(() => undefined)) ?? (await later(wire))
    }
    wire.close()
  }

  #hear(line: string): void {
    const [, key] = / key=(\S+)/.exec(line) ?? []
    if (key === undefined) return
    this.heard++
    const name = decodeURIComponent(key)
    this.byKey.set(name, (this.byKey.get(name) ?? 0) + 1)
  }
}

async function later(wire: Wire): Promise<Wire> {
  await sleep(50)
  return wire
}

async function watching(server: Address): Promise<Wire> {
  const wire = await Wire.open(server)
  await wire.send('watch evictions\r\n')
  await wire.expect('OK\r\n')
  return wire
}
