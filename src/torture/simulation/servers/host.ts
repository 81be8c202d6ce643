/** One server: the process that is there now, whether it runs, and what is known to it of its connections. */
import type { VirtualTime } from '../virtual-time.js'
import type { Latchkey } from './latchkey.js'
import type { Memcached } from './memcached.js'
import type { Answer, Request } from './request.js'

/** The server's end of a connection. */
export interface Peer {
  /** `handle`: what was given with the request. */
  answer(handle: number, answer: Answer): void
  /** Everything was answered, or the process has died: nothing more will come. */
  end(): void
}

/** After a stop, its timers lag behind its sockets, if they do, by less than the quickest round trip: a bound of docs/LOCKS.md. */
const LAG_MS = 0.19

export class Host {
  /** In the list of servers. */
  readonly index: number
  readonly name: string
  readonly #time: VirtualTime
  readonly #start: (wallAheadMs: number) => Memcached | Latchkey
  readonly #chance: () => number
  readonly #seats = new Set<Seat>()
  readonly #held: (() => void)[] = []
  /** Of what keeps it from running. */
  readonly #ends = new Set<() => void>()
  #releasing = false
  #stops = 0
  #fulls = 0
  #wallAheadMs = 0
  #model: Memcached | Latchkey | undefined

  /** `start`: makes the process, on a machine whose wall clock is ahead by so much. */
  constructor(
    index: number,
    time: VirtualTime,
    start: (wallAheadMs: number) => Memcached | Latchkey,
    chance: () => number,
  ) {
    this.index = index
    this.name = `server-${index}:11211`
    this.#time = time
    this.#start = start
    this.#chance = chance
    this.#model = start(0)
  }

  /** undefined while there is no process. */
  get model(): Memcached | Latchkey | undefined {
    return this.#model
  }

  /** undefined: refused. */
  accept(peer: Peer): Seat | undefined {
    if (this.#model === undefined) return undefined
    const seat = new Seat(this.#model, peer)
    this.#seats.add(seat)
    return seat
  }

  leave(seat: Seat): void {
    this.#seats.delete(seat)
    seat.finish()
  }

  /** Something arrives, over that connection: it is looked at now, or when the process goes on. */
  deliver(run: () => void, _over?: Peer): void {
    if (this.#stops > 0 || this.#held.length > 0) this.#held.push(run)
    else run()
  }

  /** Asked by nobody of the run. */
  tell(request: Omit<Request, 'by'>): void {
    this.deliver(() => this.#model?.serve({ ...request, by: undefined }, this, () => {}))
  }

  has(key: string): boolean {
    return this.#model?.has(key) ?? false
  }

  evict(): void {
    this.deliver(() => this.#model?.evict())
  }

  /** Has no memory for new items for so long. */
  fill(ms: number): void {
    this.#setFull(1)
    this.#until(ms, () => this.#setFull(-1))
  }

  /** The wall clock of its machine. */
  setClock(byMs: number): void {
    this.#wallAheadMs += byMs
  }

  pause(ms: number): void {
    if (this.#stops++ === 0) this.#model?.halt()
    this.#until(ms, () => {
      if (--this.#stops === 0) this.#resume()
    })
  }

  /** Whatever was done to it is over. */
  heal(): void {
    for (const end of [...this.#ends]) end()
  }

  /** Killed, and started again after so long. */
  restart(downMs: number): void {
    if (this.#model === undefined) return
    this.#model.stop()
    const before = this.#model
    this.#model = undefined
    for (const seat of [...this.#seats]) seat.kill()
    this.#seats.clear()
    before.forget()
    this.#until(downMs, () => {
      this.#model = this.#start(this.#wallAheadMs)
      this.#setFull(0)
      if (this.#stops > 0) this.#model.halt()
    })
  }

  stop(): void {
    this.#model?.stop()
    this.#seats.clear()
    this.#held.length = 0
  }

  #setFull(by: number): void {
    this.#fulls += by
    if (this.#model !== undefined) this.#model.full = this.#fulls > 0
  }

  #until(ms: number, run: () => void): void {
    const end = () => {
      if (this.#ends.delete(end)) run()
    }
    this.#ends.add(end)
    this.#time.timer(ms, end)
  }

  #resume(): void {
    // Half of the time its timers have their turn before its sockets.
    const chance = this.#chance()
    this.#model?.resume(chance < 0.5 ? 0 : (chance - 0.5) * 2 * LAG_MS)
    this.#release()
  }

  /** What was held back comes one after the other, before what arrives from now on. */
  #release(): void {
    if (this.#releasing || this.#stops > 0 || this.#held.length === 0) return
    this.#releasing = true
    this.#time.timer(0, () => {
      this.#releasing = false
      if (this.#stops > 0) return
      this.#held.shift()?.()
      this.#release()
    })
  }
}

/** A connection as the process has it: requests are answered one after the other. */
export class Seat {
  readonly #model: Memcached | Latchkey
  readonly #peer: Peer
  readonly #inbox: { readonly request: Request; readonly handle: number }[] = []
  #serving = false
  #finished = false
  #dead = false

  constructor(model: Memcached | Latchkey, peer: Peer) {
    this.#model = model
    this.#peer = peer
  }

  get version(): string {
    return this.#model.version
  }

  receive(request: Request, handle: number): void {
    if (this.#dead) return
    this.#inbox.push({ request, handle })
    this.#serve()
  }

  /** The client has said its last: what waits is answered, and then the server ends the connection too. */
  finish(): void {
    this.#finished = true
    if (this.#dead) return
    this.#model.leave(this)
    this.#endIfDone()
  }

  /** The process has died. */
  kill(): void {
    this.#dead = true
    this.#peer.end()
  }

  #serve(): void {
    if (this.#serving || this.#dead) return
    const next = this.#inbox.shift()
    if (next === undefined) return
    this.#serving = true
    this.#model.serve(next.request, this, (answer) => {
      this.#serving = false
      if (this.#dead) return
      this.#peer.answer(next.handle, answer)
      this.#serve()
    })
    this.#endIfDone()
  }

  #endIfDone(): void {
    if (!this.#finished || this.#dead || this.#serving || this.#inbox.length > 0) return
    this.#dead = true
    this.#peer.end()
  }
}
