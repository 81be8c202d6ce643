/**
 * Who believed from when until when. One that counts its own time ends when that is over by its own clock, which may be while nothing
 * of the process runs: so the moment is foreseen after each step, and not noticed at the next.
 */
import type { Belief, Holding } from '../algorithm.js'
import type { BeliefSpan } from '../history.js'
import type { Machine } from './machine.js'

interface Open {
  readonly machine: Machine
  readonly from: number
  readonly holding: Holding
  /** When it will be over if nothing happens to it. */
  endsAt: number
}

export class Beliefs {
  readonly spans: BeliefSpan[] = []
  readonly #open = new Set<Open>()

  begin(machine: Machine, holding: Holding): Belief {
    const open: Open = { machine, from: machine.now(), holding, endsAt: Number.POSITIVE_INFINITY }
    this.#open.add(open)
    this.#look(open)
    return { end: () => this.#end(open, machine.now()) }
  }

  /** After each step of this machine. True when somebody was asked. */
  look(machine: Machine): boolean {
    if (this.#open.size === 0) return false
    let asked = false
    for (const open of [...this.#open]) {
      if (open.machine !== machine) continue
      asked = true
      this.#look(open)
    }
    return asked
  }

  /** Its process has died. */
  stop(machine: Machine, at: number): void {
    for (const open of [...this.#open]) if (open.machine === machine) this.#end(open, at)
  }

  #look(open: Open): void {
    const { machine, holding } = open
    const leftMs = holding.remainingMs?.()
    if (leftMs === undefined) return
    if (leftMs <= 0) this.#end(open, machine.now())
    else open.endsAt = machine.now() + leftMs / machine.rate
  }

  #end(open: Open, at: number): void {
    if (!this.#open.delete(open)) return
    const { machine, from, holding, endsAt } = open
    const to = Math.min(at, endsAt)
    // It was over before it began.
    if (to <= from) return
    const { fence, owner } = holding
    this.spans.push({
      who: machine.who,
      from,
      to,
      ...(fence !== undefined && { fence: `${fence}` }),
      ...(owner !== undefined && { owner }),
    })
  }
}
