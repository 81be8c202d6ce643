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

/** After a stop, its timers lag behind its sockets by less than this, if they do. */
const LAG_MS = 1

export class Host {
  /** In the list of servers. */
  readonly index: number
  readonly name: string
  readonly #time: VirtualTime
  readonly #start: () => Memcached | Latchkey
  readonly #chance: () => number
  readonly #seats = new Set<Seat>()
  readonly #held: (() => void)[] = []
  #stops = 0
  #model: Memcached | Latchkey | undefined

  /** `start`: makes the process. */
  constructor(index: number, time: VirtualTime, start: () => Memcached | Latchkey, chance: () => number) {
    this.index = index
    this.name = `server-${index}:11211`
    this.#time = time
    this.#start = start
    this.#chance = chance
    this.#model = start()
  }

  /** undefined while there is no process. */
  get model(): Memcached | Latchkey | undefined {
    return this.#model
  }

  get isStopped(): boolean {
    return this.#stops > 0
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

  /** Something arrives: it is looked at now, or when the process goes on. */
  deliver(run: () => void): void {
    if (this.#stops > 0 || this.#held.length > 0) this.#held.push(run)
    else run()
  }

  pause(ms: number): void {
    if (this.#stops++ === 0) this.#model?.halt()
    this.#time.timer(ms, () => {
      if (--this.#stops === 0) this.#resume()
    })
  }

  /** Killed, and started again after so long. */
  restart(downMs: number): void {
    if (this.#model === undefined) return
    this.#model.stop()
    const before = this.#model
    this.#model = undefined
    for (const seat of [...this.#seats]) seat.kill()
    this.#seats.clear()
    this.#time.timer(downMs, () => {
      before.forget()
      this.#model = this.#start()
      if (this.#stops > 0) this.#model.halt()
    })
  }

  stop(): void {
    this.#model?.stop()
    this.#seats.clear()
    this.#held.length = 0
  }

  #resume(): void {
    // Half of the time its timers have their turn before its sockets.
    const chance = this.#chance()
    this.#model?.resume(chance < 0.5 ? 0 : (chance - 0.5) * 2 * LAG_MS)
    this.#release()
  }

  #release(): void {
    if (this.#stops > 0 || this.#held.length === 0) return
    this.#time.timer(0, () => {
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
