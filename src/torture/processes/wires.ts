/** Between one participant and the servers: a fault proxy before each. */

import { FaultProxy } from '../faults/fault-proxy.js'
import { lasting } from './lasting.js'
import type { RequestFaults } from './request-faults.js'
import { RequestSieve } from './request-sieve.js'

export interface Address {
  readonly host: string
  readonly port: number
}

export class Wires {
  readonly #proxies: readonly FaultProxy[]

  private constructor(proxies: readonly FaultProxy[]) {
    this.#proxies = proxies
  }

  /** `sawKey` is told of each key that goes to a server. */
  static async open(
    servers: readonly Address[],
    faults: RequestFaults,
    sawKey: (server: number, key: string) => void,
  ): Promise<Wires> {
    const proxies = await Promise.all(servers.map((server) => FaultProxy.start(server)))
    for (const [server, proxy] of proxies.entries()) {
      proxy.plan = () => {
        const sieve = new RequestSieve(faults, (key) => sawKey(server, key))
        return { requests: { sieve: sieve.requests }, replies: { sieve: sieve.replies } }
      }
    }
    return new Wires(proxies)
  }

  get addresses(): string[] {
    return this.#proxies.map(({ host, port }) => `${host}:${port}`)
  }

  /** Nobody can connect, and what is connected is cut. */
  async blip(server: number, ms: number): Promise<void> {
    const proxy = this.#proxies[server]
    await proxy.refuse()
    proxy.cutAll()
    await lasting(ms)
    if (!this.#closed) await proxy.accept()
  }

  /** Connections that have lost bytes are of no use afterwards: whoever still has one finds it reset. */
  async partition(server: number, lost: 'requests' | 'replies', ms: number): Promise<void> {
    const proxy = this.#proxies[server]
    proxy.losing = lost
    await lasting(ms)
    proxy.losing = undefined
    proxy.cutAll()
  }

  #closed = false

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()))
  }
}
