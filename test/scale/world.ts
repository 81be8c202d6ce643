/** Clients, servers and a network of the laboratory, in virtual time, where everything takes as long as it does in a data centre. */
import { ringOf } from '#dist/torture/simulation/clients/ring.js'
import { Machine } from '#dist/torture/simulation/machine.js'
import { Network, type Travel } from '#dist/torture/simulation/network.js'
import { hostsOf } from '#dist/torture/simulation/servers/fleet.js'
import { VirtualTime } from '#dist/torture/simulation/virtual-time.js'
import { BusyHost, type ServiceCost } from './busy-host.js'
import { type ClientOptions, SimulatedClient } from './client.js'

export type Home = 'latchkey' | 'memcached'

export interface Terms {
  readonly seed: number
  readonly home: Home
  /** In single mode each name has one of them; with `quorum` every name has all. */
  readonly servers: number
  readonly quorum?: boolean
  /** One way, in the middle of all messages. Default 0.25. */
  readonly oneWayMs?: number
}

/**
 * CPU time of a server a `set` of 100 bytes, from bench/README.md, the table of the server part: asked for one at a time by 50
 * connections, and sixteen in a packet.
 */
const COSTS: Readonly<Record<Home, ServiceCost>> = {
  latchkey: { packetMs: 0.00961, furtherMs: 0.00153 },
  memcached: { packetMs: 0.00848, furtherMs: 0.00157 },
}
/** Of the keys of locks, by default. */
const PREFIX = 'latchkey:lock:'
/** Requests that are written in one turn of an event loop, and answers that follow each other as fast, share a packet. */
const PACKET_MS = 0.02
/** Of a log-logistic distribution: one message in a hundred takes 2.5 times the median, one in a thousand 4 times. */
const SHAPE = 5

export class World {
  readonly terms: Terms
  readonly time = new VirtualTime()
  readonly hosts: readonly BusyHost[]
  readonly network: Network
  readonly clients: SimulatedClient[] = []

  constructor(terms: Terms) {
    const { seed, home, servers, oneWayMs = 0.25 } = terms
    const nothing = () => undefined
    this.terms = terms
    this.network = new Network(this.time, seed, { delayOf: nothing, lossOf: nothing }, travel(oneWayMs))
    this.hosts = hostsOf({ seed, fault: 'none' }, { home, servers }, this.time, nothing, BusyHost) as BusyHost[]
    for (const host of this.hosts) host.cost = COSTS[home]
  }

  get now(): number {
    return this.time.now()
  }

  addClients(count: number, options?: ClientOptions): readonly SimulatedClient[] {
    const first = this.clients.length
    for (let who = first; who < first + count; who++) {
      const machine = new Machine(who, this.time, 1, { ran: () => undefined, killed: () => undefined })
      this.clients.push(new SimulatedClient(this, machine, options))
    }
    return this.clients.slice(first)
  }

  /** Lets time pass until it has settled. */
  run<T>(work: Promise<T>): Promise<T> {
    return this.time.settled(work)
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.time.timer(ms, resolve))
  }

  /** Names of locks, of which every server has one. */
  namesOnAll(): readonly string[] {
    if (this.terms.quorum) return ['any']
    const ring = ringOf(this.hosts.map(({ name }) => name))
    const names = new Map<string, string>()
    for (let nth = 0; names.size < this.hosts.length; nth++) names.set(ring.serverOf(`${PREFIX}${nth}`), `${nth}`)
    return [...names.values()]
  }

  /** Everything that was sent to a server so far. */
  get arrived(): number {
    return this.hosts.reduce((sum, { arrived }) => sum + arrived, 0)
  }

  get busyMs(): number {
    return this.hosts.reduce((sum, { busyMs }) => sum + busyMs, 0)
  }

  async close(): Promise<void> {
    await this.run(Promise.all(this.clients.map((client) => client.close())))
    this.abandon()
  }

  /** Nothing is released or closed any more: of a million locks that would take as long as all the rest. */
  abandon(): void {
    for (const host of this.hosts) host.stop()
    this.time.clear()
  }
}

function travel(medianMs: number): Travel {
  return {
    oneWayMs: (chance) => medianMs * ((chance + 2 ** -33) / (1 - chance)) ** (1 / SHAPE),
    packetMs: PACKET_MS,
  }
}
