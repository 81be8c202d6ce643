/** Engines take long to start: one that came to no harm in a run is used for another. */
import type { EngineName } from '../homes.js'
import { engines } from './engines/index.js'
import type { Estate } from './estate.js'
import type { ServerProcess } from './server-process.js'

export type Servers = readonly ServerProcess[]

export class EnginePark {
  readonly #estate: Estate
  readonly #idle = new Map<string, Servers[]>()

  constructor(estate: Estate) {
    this.#estate = estate
  }

  /** For one run alone. Rejects with LaboratoryError. */
  async take(engine: EngineName, count: number): Promise<Servers> {
    return this.#idle.get(nameOf(engine, count))?.pop() ?? engines[engine].start(count, this.#estate)
  }

  give(engine: EngineName, servers: Servers): void {
    const name = nameOf(engine, servers.length)
    const idle = this.#idle.get(name) ?? []
    this.#idle.set(name, idle)
    idle.push(servers)
  }

  async close(): Promise<void> {
    const servers = [...this.#idle.values()].flat(2)
    this.#idle.clear()
    await Promise.all(servers.map((server) => server.close()))
  }
}

function nameOf(engine: EngineName, count: number): string {
  return `${engine} ${count}`
}
