/** Which of a participant's requests are hit, counted over all that it sends from the beginning on, whatever the connection. */
import type { Incident } from '../plan.js'

export type RequestFault = Extract<Incident, { what: 'lose' | 'delay' }>

export class RequestFaults {
  readonly #faults: ReadonlyMap<number, RequestFault>
  readonly #struck: (fault: RequestFault) => void
  #count = 0
  #hasBegun = false

  /** `struck` is told of each as it happens. */
  constructor(who: number, incidents: readonly Incident[], struck: (fault: RequestFault) => void) {
    const mine = incidents.filter((each) => isOfRequest(each)).filter((each) => each.who === who)
    this.#faults = new Map(mine.map((fault) => [fault.nth, fault]))
    this.#struck = struck
  }

  /** What was sent before, to connect and to look around, does not count. */
  begin(): void {
    this.#hasBegun = true
  }

  /** Called for each request; what becomes of it. */
  next(): RequestFault | undefined {
    if (!this.#hasBegun) return undefined
    const fault = this.#faults.get(this.#count++)
    if (fault !== undefined) this.#struck(fault)
    return fault
  }
}

function isOfRequest(incident: Incident): incident is RequestFault {
  return incident.what === 'lose' || incident.what === 'delay'
}
