/**
 * Connections between participants and servers. Each direction is first in, first out; different connections are not ordered
 * against each other. Nothing is ever sent twice: what is lost leaves a connection that is cut, or silent from there on.
 */
import { Draw, drawn } from './chance.js'
import type { Machine } from './machine.js'
import type { Host, Peer, Seat } from './servers/host.js'
import type { Answer, Request } from './servers/request.js'
import type { VirtualTime } from './virtual-time.js'

export type Direction = 'requests' | 'replies'

/** What a plan does to single requests. */
export interface Fates {
  delayOf(who: number, nth: number): number | undefined
  lossOf(who: number, nth: number): { readonly cut: boolean } | undefined
}

interface Outage {
  readonly who: number
  readonly server: number
  readonly lost: Direction
  /** What is lost is sent again when it is over; or the sender has given that up by then. */
  readonly isResent: boolean
  readonly held: (() => void)[]
}

/** How a client hears of its connection. */
export interface Ears {
  opened(version: string): void
  answered(handle: number, answer: Answer): void
  /** `byServer`: the server has ended it in order, so that everything it ever said was heard. */
  ended(reason: Error, byServer: boolean): void
}

/** How long what is sent is on its way. */
export interface Travel {
  /** Milliseconds one way, for a chance from 0, below 1. */
  oneWayMs(chance: number): number
  /** What is sent over one connection within so much of each other arrives as it was sent: it goes in one packet. */
  readonly packetMs: number
}

/** Each on its own, mostly below a millisecond, now and then some tens. */
const ROUGH: Travel = { oneWayMs: latencyMs, packetMs: 0 }

export class Network {
  readonly time: VirtualTime
  readonly seed: number
  readonly fates: Fates
  readonly travel: Travel
  readonly #channels = new Set<Channel>()
  readonly #outages = new Set<Outage>()
  readonly #blips = new Map<string, number>()
  readonly #connects = new Map<number, number>()
  readonly #sent = new Map<number, number>()

  constructor(time: VirtualTime, seed: number, fates: Fates, travel = ROUGH) {
    this.time = time
    this.seed = seed
    this.fates = fates
    this.travel = travel
  }

  open(machine: Machine, host: Host, ears: Ears): Channel {
    const nth = next(this.#connects, machine.who)
    const [thereMs, backMs] = [0, 1].map((way) =>
      this.travel.oneWayMs(drawn(this.seed, Draw.Connect, machine.who, nth, way)),
    )
    const channel = new Channel(this, machine, host, ears)
    this.#channels.add(channel)
    channel.connect(thereMs, backMs, this.#isCutOff(machine.who, host.index))
    return channel
  }

  /** Counts the participant's requests. */
  nextRequest(who: number): number {
    return next(this.#sent, who)
  }

  /** Nobody can connect from there for a while, and what is connected is cut. */
  blip(who: number, server: number, ms: number): void {
    const place = placeOf(who, server)
    this.#blips.set(place, (this.#blips.get(place) ?? 0) + 1)
    this.time.timer(ms, () => this.#blips.set(place, this.#blips.get(place)! - 1))
    for (const channel of [...this.#channels]) {
      if (channel.machine.who === who && channel.host.index === server) channel.cut('reset')
    }
  }

  partition(who: number, server: number, lost: Direction, ms: number, isResent: boolean): void {
    const outage: Outage = { who, server, lost, isResent, held: [] }
    this.#outages.add(outage)
    this.time.timer(ms, () => this.#heal(outage))
  }

  outageOf(channel: Channel, direction: Direction): Outage | undefined {
    if (this.#outages.size === 0) return undefined
    const { machine, host } = channel
    for (const outage of this.#outages) {
      if (outage.who === machine.who && outage.server === host.index && outage.lost === direction) return outage
    }
    return undefined
  }

  /** The machine's process has died: its connections are ended by its kernel. */
  lose(machine: Machine): void {
    for (const channel of [...this.#channels]) if (channel.machine === machine) channel.finish()
  }

  forget(channel: Channel): void {
    this.#channels.delete(channel)
  }

  healAll(): void {
    this.#blips.clear()
    for (const outage of [...this.#outages]) this.#heal(outage)
  }

  #heal(outage: Outage): void {
    if (!this.#outages.delete(outage)) return
    for (const arrive of outage.held) this.time.timer(0, arrive)
  }

  #isCutOff(who: number, server: number): boolean {
    return (this.#blips.get(placeOf(who, server)) ?? 0) > 0
  }
}

/** One connection. The server's end of it is a seat. */
export class Channel implements Peer {
  readonly machine: Machine
  readonly host: Host
  readonly #network: Network
  readonly #ears: Ears
  readonly #there: Pipe
  readonly #back: Pipe
  /** By the handle of the request. */
  readonly #sent = new Map<number, number>()
  #seat: Seat | undefined
  #isRefused = false
  #backMs = 0

  constructor(network: Network, machine: Machine, host: Host, ears: Ears) {
    this.machine = machine
    this.host = host
    this.#network = network
    this.#ears = ears
    this.#there = new Pipe(network, this, 'requests', (run) => host.deliver(run, this))
    this.#back = new Pipe(network, this, 'replies', (run) => machine.deliver(run))
  }

  connect(thereMs: number, backMs: number, isCutOff: boolean): void {
    this.#backMs = backMs
    if (isCutOff) {
      this.#refuse(thereMs)
      return
    }
    this.#there.send(this.#lagMs() + thereMs, () => {
      const seat = this.host.accept(this)
      this.#seat = seat
      if (seat === undefined) this.#refuse(backMs)
      else this.#back.send(backMs, () => this.#ears.opened(seat.version))
    })
  }

  /** `nth`: of the participant. */
  send(request: Request, handle: number, nth: number): void {
    const { who } = this.machine
    const { fates, seed, travel } = this.#network
    const delayMs = fates.delayOf(who, nth) ?? travel.oneWayMs(drawn(seed, Draw.Request, who, nth))
    this.#sent.set(handle, nth)
    this.#there.send(this.#lagMs() + delayMs, () => this.#seat?.receive(request, handle))
  }

  answer(handle: number, answer: Answer): void {
    const { who } = this.machine
    const { fates, seed, travel } = this.#network
    const nth = this.#sent.get(handle)!
    this.#sent.delete(handle)
    const loss = fates.lossOf(who, nth)
    if (loss?.cut) this.cut('reset')
    else if (loss !== undefined) this.#back.silence()
    const delayMs = travel.oneWayMs(drawn(seed, Draw.Reply, who, nth))
    this.#back.send(delayMs, () => this.#ears.answered(handle, answer))
  }

  /** The server's end is ended, after all that it has said. */
  end(): void {
    this.#seat = undefined
    this.#network.forget(this)
    this.#back.send(this.#backMs, () => this.#ears.ended(new Error('the server has closed the connection'), true))
  }

  /** The client says no more. Whoever still listens hears what the server answers. */
  finish(): void {
    this.#there.send(this.#lagMs() + this.#backMs, () => this.#leave())
  }

  /** Both ends are told; what is on its way to the server arrives before that, and what is on its way back is lost. */
  cut(why: string): void {
    this.#back.break()
    this.#network.time.timer(0, () => this.machine.deliver(() => this.#ears.ended(new Error(why), false)))
    this.#there.send(this.#backMs, () => this.#leave())
  }

  #leave(): void {
    this.#network.forget(this)
    const seat = this.#seat
    this.#seat = undefined
    if (seat !== undefined) this.host.leave(seat)
  }

  #refuse(ms: number): void {
    if (this.#isRefused) return
    this.#isRefused = true
    this.#network.forget(this)
    this.#back.send(ms, () => this.#ears.ended(new Error('connect ECONNREFUSED'), false))
  }

  /** A step that blocks sends when its time has come. */
  #lagMs(): number {
    return this.machine.now() - this.#network.time.now()
  }
}

/** One direction. */
class Pipe {
  readonly #network: Network
  readonly #channel: Channel
  readonly #direction: Direction
  readonly #deliver: (run: () => void) => void
  #lastAt = 0
  /** When the first of a packet was sent. */
  #packedAt = Number.NEGATIVE_INFINITY
  #isSilent = false
  #isBroken = false

  constructor(network: Network, channel: Channel, direction: Direction, deliver: (run: () => void) => void) {
    this.#network = network
    this.#channel = channel
    this.#direction = direction
    this.#deliver = deliver
  }

  /** Nothing that is sent from now on arrives. */
  silence(): void {
    this.#isSilent = true
  }

  /** Nor what is on its way. */
  break(): void {
    this.#isSilent = true
    this.#isBroken = true
  }

  send(ms: number, run: () => void): void {
    if (this.#isSilent) return
    const { time, travel } = this.#network
    const isPacked = time.now() - this.#packedAt < travel.packetMs
    if (!isPacked) this.#packedAt = time.now()
    this.#lastAt = Math.max(this.#lastAt, isPacked ? time.now() : time.now() + ms)
    time.timer(this.#lastAt - time.now(), () => this.#arrive(run))
  }

  #arrive(run: () => void): void {
    if (this.#isBroken) return
    const outage = this.#network.outageOf(this.#channel, this.#direction)
    if (outage === undefined) this.#deliver(run)
    else if (outage.isResent) outage.held.push(() => this.#arrive(run))
    else this.break()
  }
}

function latencyMs(chance: number): number {
  const ms = chance < 0.7 ? 0.1 + chance * 1.3 : chance < 0.95 ? (chance - 0.7) * 20 + 1 : (chance - 0.95) * 700 + 6
  return Math.round(ms * 1024) / 1024
}

function next(counts: Map<number, number>, who: number): number {
  const nth = counts.get(who) ?? 0
  counts.set(who, nth + 1)
  return nth
}

function placeOf(who: number, server: number): string {
  return `${who} ${server}`
}
