/**
 * A participant's machine, with one process on it: its clocks, and when that process can run. What arrives while it cannot, and the
 * timers that come due, wait, and then run in order.
 */
import type { TimeSources } from '../../locks/index.js'
import type { VirtualTime } from './virtual-time.js'

/** A moment of 2026. */
const EPOCH_MS = 1_780_000_000_000
/** Nothing is due by less. */
const NEARLY_MS = 1e-6

export interface MachineEvents {
  /** It runs something now. */
  ran(machine: Machine): void
  /** The process is killed. */
  killed(machine: Machine): void
}

export class Machine implements TimeSources {
  readonly who: number
  #dead = false
  readonly #time: VirtualTime
  readonly #rate: number
  readonly #events: MachineEvents
  readonly #held: (() => void)[] = []
  #releasing = false
  /** Why it does not run: each of them ends on its own. */
  #stops = 0
  #suspensions = 0
  #suspendedSince = 0
  /** How long its monotonic clock has stood still so far. */
  #suspendedMs = 0
  #wallAheadMs = 0
  /** Its event loop is blocked until then: within the step that blocks it, the time is that. */
  #blockedUntil = 0
  #stallMs = 0
  #onStall = () => {}
  /** Of what keeps it from running. */
  readonly #ends = new Set<() => void>()

  /** `rate`: how fast its clocks go. */
  constructor(who: number, time: VirtualTime, rate: number, events: MachineEvents) {
    this.who = who
    this.#time = time
    this.#rate = rate
    this.#events = events
  }

  get dead(): boolean {
    return this.#dead
  }

  get rate(): number {
    return this.#rate
  }

  /** The time of the run as the code that runs here has it: a step that blocks is ahead of all others. */
  now(): number {
    return Math.max(this.#time.now(), this.#blockedUntil)
  }

  monotonicMs(): number {
    return (this.now() - this.#suspendedMs) * this.#rate
  }

  wallMs(): number {
    return Math.floor(EPOCH_MS + this.now() * this.#rate + this.#wallAheadMs)
  }

  /** As a timer of Node's: whole milliseconds of its monotonic clock, one at least. */
  timer(ms: number, run: () => void): () => void {
    const dueMs = this.monotonicMs() + Math.max(1, Math.trunc(ms))
    let cancelled = false
    const look = () => {
      if (cancelled) return
      // It has slept meanwhile: its clock stood still.
      if (dueMs - this.monotonicMs() > NEARLY_MS) wait()
      else run()
    }
    let cancel = () => {}
    const wait = () => {
      cancel = this.#after((dueMs - this.monotonicMs()) / this.#rate, () => this.deliver(look))
    }
    wait()
    return () => {
      cancelled = true
      cancel()
    }
  }

  /** When everything that is due already has had its turn. */
  soon(run: () => void): void {
    this.#after(0, () => this.deliver(run))
  }

  /** Happens elsewhere, so long after now, whatever becomes of this machine. */
  elsewhere(ms: number, run: () => void): void {
    this.#after(ms, run)
  }

  /** Runs it now if it can, or when it can. */
  deliver(run: () => void): void {
    if (this.#dead) return
    if (this.#isStopped() || this.#held.length > 0) {
      this.#held.push(run)
      return
    }
    this.#events.ran(this)
    run()
  }

  /** Called wherever its code does something: there its event loop may be blocked, in the middle of a step. */
  act(): void {
    if (this.#stallMs === 0) return
    const ms = this.#stallMs
    this.#stallMs = 0
    this.#blockedUntil = this.now() + ms
    this.#after(0, () => this.#release())
    this.#onStall()
  }

  /** The next time that its code does something, its event loop is blocked for so long. */
  stall(ms: number, onStall: () => void): void {
    this.#stallMs += ms
    this.#onStall = onStall
  }

  /** The process is stopped, and its clocks go on. */
  pause(ms: number): void {
    this.#stops++
    this.#until(ms, () => {
      this.#stops--
      this.#release()
    })
  }

  /** The machine sleeps: of its clocks, only the one on the wall goes on. */
  suspend(ms: number): void {
    if (this.#suspensions++ === 0) this.#suspendedSince = this.#time.now()
    this.#until(ms, () => {
      if (--this.#suspensions > 0) return
      this.#suspendedMs += this.#time.now() - this.#suspendedSince
      this.#release()
    })
  }

  setClock(byMs: number): void {
    this.#wallAheadMs += byMs
  }

  /** Whatever keeps it from running is over. */
  heal(): void {
    this.#stallMs = 0
    for (const end of [...this.#ends]) end()
  }

  kill(): void {
    if (this.#dead) return
    this.#dead = true
    this.#held.length = 0
    this.#events.killed(this)
  }

  #isStopped(): boolean {
    return this.#stops > 0 || this.#suspensions > 0 || this.#time.now() < this.#blockedUntil
  }

  /** What was held back runs one after the other, each a step of its own, before what comes due from now on. */
  #release(): void {
    if (this.#releasing || this.#isStopped() || this.#held.length === 0) return
    this.#releasing = true
    this.#time.timer(0, () => {
      this.#releasing = false
      const run = this.#isStopped() ? undefined : this.#held.shift()
      if (run === undefined) return
      this.#events.ran(this)
      run()
      this.#release()
    })
  }

  #until(ms: number, run: () => void): void {
    const end = () => {
      if (this.#ends.delete(end)) run()
    }
    this.#ends.add(end)
    this.#time.timer(ms, end)
  }

  #after(ms: number, run: () => void): () => void {
    return this.#time.timer(this.now() - this.#time.now() + ms, run)
  }
}
