/**
 * Connections for waiting: replies come in order, so nothing else can go over one on which an add waits. Each carries one wait,
 * and is kept for the next for some seconds.
 */
import type { Environment } from '../../environment.js'
import type { Wire } from './dialect.js'

/** More of one driver do not wait in the server's queues, but ask again and again. */
const MOST = 256
const IDLE_MS = 5000

interface Idle {
  readonly client: Wire
  /** Calls off that it is hung up. */
  readonly keep: () => void
}

export class Waiters {
  readonly #make: () => Wire
  readonly #timer: Environment['timer']
  /** By server, the last one used at the end. */
  readonly #idle = new Map<string, Idle[]>()
  readonly #busy = new Set<Wire>()
  #closed = false

  constructor(make: () => Wire, timer: Environment['timer']) {
    this.#make = make
    this.#timer = timer
  }

  /** undefined when there are too many. */
  take(server: string): Wire | undefined {
    const idle = this.#idle.get(server)?.pop()
    if (idle === undefined && this.#busy.size >= MOST) return undefined
    idle?.keep()
    const client = idle?.client ?? this.#make()
    this.#busy.add(client)
    return client
  }

  /** Back for the next wait: nothing is under way on it. */
  put(server: string, client: Wire): void {
    if (this.#closed) {
      this.drop(client)
      return
    }
    this.#busy.delete(client)
    const keep = this.#timer(IDLE_MS, () => this.#forget(server, client), true)
    const idle = this.#idle.get(server) ?? []
    this.#idle.set(server, idle)
    idle.push({ client, keep })
  }

  /** Not to be used again. */
  drop(client: Wire): void {
    this.#busy.delete(client)
    void client.hangUp()
  }

  /** Waits that are under way end without an answer, unless it comes just now. */
  async close(): Promise<void> {
    this.#closed = true
    const idle = [...this.#idle.values()].flat()
    this.#idle.clear()
    for (const { keep } of idle) keep()
    const clients = [...idle.map(({ client }) => client), ...this.#busy]
    await Promise.all(clients.map((client) => client.hangUp()))
  }

  #forget(server: string, client: Wire): void {
    const idle = this.#idle.get(server)?.filter((each) => each.client !== client) ?? []
    if (idle.length === 0) this.#idle.delete(server)
    else this.#idle.set(server, idle)
    void client.hangUp()
  }
}
