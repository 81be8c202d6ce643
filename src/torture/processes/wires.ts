/** Between one participant and the servers: a fault proxy before each. */
import type { Sieve } from '../faults/fault-flow.js'
import { FaultProxy } from '../faults/fault-proxy.js'
import { ChunkSieve } from './chunk-sieve.js'
import { lasting } from './lasting.js'
import type { RequestFaults } from './request-faults.js'
import { RequestSieve } from './request-sieve.js'
import type { Site } from './site.js'

export interface Address {
  readonly host: string
  readonly port: number
}

/** What a connection passes through, in either direction. */
interface Sieves {
  readonly requests: Sieve
  readonly replies: Sieve
}

type WiredSite = Pick<Site, 'servers' | 'protocol' | 'sawKey'>

export class Wires {
  readonly #proxies: readonly FaultProxy[]
  readonly #faults: RequestFaults

  private constructor(proxies: readonly FaultProxy[], faults: RequestFaults) {
    this.#proxies = proxies
    this.#faults = faults
  }

  static async open(site: WiredSite, faults: RequestFaults): Promise<Wires> {
    const proxies = await Promise.all(site.servers.map((server) => FaultProxy.start(server)))
    for (const [server, proxy] of proxies.entries()) {
      proxy.plan = () => {
        const { requests, replies } = sieves(site, server, faults)
        return { requests: { sieve: requests }, replies: { sieve: replies } }
      }
    }
    return new Wires(proxies, faults)
  }

  /** Requests count from now on. */
  begin(): void {
    this.#faults.begin()
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

function sieves(site: WiredSite, server: number, faults: RequestFaults): Sieves {
  if (site.protocol === 'unknown') return new ChunkSieve(faults)
  return new RequestSieve(faults, (key) => site.sawKey(server, key))
}
