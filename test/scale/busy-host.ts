/** A server of one thread that takes its time: what arrives is served one after the other, and waits while others are served. */
import { Host, type Peer, type Seat } from '#dist/torture/simulation/servers/host.js'
import type { VirtualTime } from '#dist/torture/simulation/virtual-time.js'

/** What one thing that arrives costs its server. */
export interface ServiceCost {
  /** Milliseconds for the first of a packet: reading from the socket, and writing the answer. */
  readonly packetMs: number
  /** For each further one of the same packet. */
  readonly furtherMs: number
}

/** The greatest load is looked for in windows of so long. */
const WINDOW_MS = 10

export class BusyHost extends Host {
  cost: ServiceCost = { packetMs: 0, furtherMs: 0 }
  /** Everything that has arrived: requests, connections and their ends. */
  arrived = 0
  busyMs = 0
  connections = 0
  connectionsMost = 0
  /** In any one window. */
  arrivedMost = 0
  readonly #clock: VirtualTime
  #freeAt = 0
  #lastOver: Peer | undefined
  #lastAt = Number.NaN
  #window = 0
  #inWindow = 0

  constructor(...args: ConstructorParameters<typeof Host>) {
    super(...args)
    this.#clock = args[1]
  }

  override accept(peer: Peer): Seat | undefined {
    const seat = super.accept(peer)
    if (seat !== undefined) this.connectionsMost = Math.max(this.connectionsMost, ++this.connections)
    return seat
  }

  override leave(seat: Seat): void {
    this.connections--
    super.leave(seat)
  }

  override restart(downMs: number): void {
    this.connections = 0
    super.restart(downMs)
  }

  override deliver(run: () => void, over?: Peer): void {
    const now = this.#clock.now()
    this.#note(now)
    const isFurther = over !== undefined && over === this.#lastOver && now === this.#lastAt
    this.#lastOver = over
    this.#lastAt = now
    this.#serve(now, isFurther ? this.cost.furtherMs : this.cost.packetMs, run)
  }

  #serve(now: number, costMs: number, run: () => void): void {
    this.#freeAt = Math.max(now, this.#freeAt) + costMs
    this.busyMs += costMs
    this.#clock.timer(this.#freeAt - now, () => super.deliver(run))
  }

  #note(now: number): void {
    const window = Math.floor(now / WINDOW_MS)
    if (window !== this.#window) this.#inWindow = 0
    this.#window = window
    this.#inWindow++
    this.arrived++
    this.arrivedMost = Math.max(this.arrivedMost, this.#inWindow)
  }
}
