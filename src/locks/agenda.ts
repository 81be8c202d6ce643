/**
 * What is to be done when, for all locks of a thread by one timer: most locks are released long before anything is due, and setting
 * and clearing a timer of Node's for each would cost more than the rest of keeping it.
 */
import { AsyncResource } from 'node:async_hooks'
import type { Environment } from './environment.js'

/** Timers count monotonic time: who was suspended looks at the clock after at most so long. */
const LOOK_MS = 1000

export class Appointment {
  /** By the clock of the agenda. */
  at: number
  readonly run: () => void
  /** Its place in the heap, −1 when it is not there. */
  place = -1

  constructor(at: number, run: () => void) {
    this.at = at
    this.run = run
  }
}

/** A binary heap, the soonest first; each appointment knows its place, so that it can be taken out anywhere. */
export class Agenda {
  readonly #environment: Environment
  readonly #heap: Appointment[] = []
  #armedFor = Number.POSITIVE_INFINITY
  #cancelTimer = () => {}
  /** One timer serves all: what it does belongs to none of the callers whose doing has set it, as a tracer would have it. */
  readonly #onTimer = AsyncResource.bind(() => this.#wake())

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** Calls `run` once, soon after `at`. */
  add(at: number, run: () => void): Appointment {
    const appointment = new Appointment(at, run)
    this.#heap.push(appointment)
    this.#rise(appointment, this.#heap.length - 1)
    if (at < this.#armedFor) this.#arm()
    return appointment
  }

  /** Does nothing for one that is over or was called off already. */
  cancel(appointment: Appointment): void {
    const { place } = appointment
    if (place < 0) return
    appointment.place = -1
    const last = this.#heap.pop()!
    if (last === appointment) return
    this.#rise(last, place)
    this.#sink(last, last.place)
  }

  /** Nothing keeps the process alive for it. The timer of what was called off is left to fire, and finds nothing. */
  #arm(): void {
    this.#cancelTimer()
    const next = this.#heap[0]
    if (next === undefined) {
      this.#armedFor = Number.POSITIVE_INFINITY
      return
    }
    const now = this.#environment.clock.now()
    const waitMs = Math.max(0, Math.min(next.at - now, LOOK_MS))
    this.#armedFor = now + waitMs
    this.#cancelTimer = this.#environment.timer(waitMs, this.#onTimer, false)
  }

  #wake(): void {
    const now = this.#environment.clock.now()
    // What is added by those who run has its turn the next time, or one that is always due would keep the others waiting.
    const due: Appointment[] = []
    for (let next = this.#heap[0]; next !== undefined && next.at <= now; next = this.#heap[0]) {
      this.cancel(next)
      due.push(next)
    }
    this.#armedFor = Number.POSITIVE_INFINITY
    this.#arm()
    for (const { run } of due) run()
  }

  #rise(appointment: Appointment, from: number): void {
    const heap = this.#heap
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (heap[parent].at <= appointment.at) break
      this.#put(heap[parent], place)
      place = parent
    }
    this.#put(appointment, place)
  }

  #sink(appointment: Appointment, from: number): void {
    const heap = this.#heap
    let place = from
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1].at < heap[child].at) child++
      if (heap[child].at >= appointment.at) break
      this.#put(heap[child], place)
      place = child
    }
    this.#put(appointment, place)
  }

  #put(appointment: Appointment, place: number): void {
    this.#heap[place] = appointment
    appointment.place = place
  }
}
