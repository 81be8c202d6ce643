/** Carries out the incidents of a plan, each at its time. What befalls the same thing twice at once befalls it one after the other. */
import type { Incident } from '../plan.js'
import type { Chronicle } from './chronicle.js'
import { lasting } from './lasting.js'
import type { Member } from './member.js'
import { nowMs } from './messages.js'
import type { Site } from './site.js'
import type { Wires } from './wires.js'

export interface Stage {
  readonly site: Site
  readonly members: readonly Member[]
  readonly wires: readonly Wires[]
  readonly chronicle: Chronicle
  /** The lock's key. */
  readonly key: string
}

export class Strikes {
  readonly #stage: Stage
  readonly #incidents: readonly Incident[]
  readonly #timers: NodeJS.Timeout[] = []
  /** The last thing that befalls each. */
  readonly #busy = new Map<string, Promise<void>>()
  #over = false

  constructor(stage: Stage, incidents: readonly Incident[]) {
    this.#stage = stage
    this.#incidents = incidents
  }

  /** `fail`: an incident could not be made. */
  start(startAt: number, fail: (error: Error) => void): void {
    for (const incident of this.#incidents) {
      // The wires wait for their request.
      if (incident.what === 'lose' || incident.what === 'delay') continue
      const strike = () => void this.#inTurn(incident).catch(fail)
      this.#timers.push(setTimeout(strike, startAt + incident.at - nowMs()))
    }
  }

  /** Nothing more happens. Whoever is stopped goes on. */
  stop(): void {
    this.#over = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const member of this.#stage.members) if (member.alive) member.resume()
    this.#stage.site.resume()
  }

  #inTurn(incident: Incident): Promise<void> {
    const victim = victimOf(incident)
    const turn = (this.#busy.get(victim) ?? Promise.resolve()).then(() => this.#strike(incident))
    // Who comes after it is not told of its failure.
    this.#busy.set(
      victim,
      turn.catch(() => {}),
    )
    return turn
  }

  async #strike(incident: Incident): Promise<void> {
    if (this.#over) return
    const { chronicle } = this.#stage
    chronicle.mark(
      wordsFor(incident),
      'who' in incident ? incident.who : undefined,
      'ms' in incident ? incident.ms : undefined,
    )
    await this.#carryOut(incident).catch((error) => {
      // What was under way when the run ended has lost its victim.
      if (!this.#over) throw error
    })
  }

  async #carryOut(incident: Incident): Promise<void> {
    const { site, wires, key } = this.#stage
    switch (incident.what) {
      case 'pause':
      case 'stall':
      case 'heap':
      case 'crash':
      case 'abort':
        return this.#afflict(incident, this.#stage.members[incident.who])
      case 'blip':
        return wires[incident.who].blip(incident.server, incident.ms)
      case 'partition':
        return wires[incident.who].partition(incident.server, incident.lost, incident.ms)
      case 'server-pause':
      case 'restart':
      case 'flush':
      case 'evict':
      case 'full':
      case 'foreign':
        return site.suffer(incident, key)
      default:
        throw new Error(`${incident.what} is for virtual time`)
    }
  }

  async #afflict(incident: MemberIncident, member: Member): Promise<void> {
    if (!member.alive) return
    if (incident.what === 'pause') {
      member.stop()
      await lasting(incident.ms)
      // It goes on at the end of the run anyway, and may be stopped again in its next one by now.
      if (!this.#over) member.resume()
    } else if (incident.what === 'crash') {
      this.#stage.chronicle.died(incident.who)
      await member.kill()
    } else if (incident.what === 'abort') member.order({ do: 'abort' })
    else member.order({ do: incident.what, ms: incident.ms })
  }
}

type MemberIncident = Extract<Incident, { what: 'pause' | 'stall' | 'heap' | 'crash' | 'abort' }>

/** A crash does not wait for a pause to be over, and so on: different things may come together. */
function victimOf(incident: Incident): string {
  if (incident.what === 'foreign') return 'foreign'
  if ('server' in incident)
    return 'who' in incident ? `wire ${incident.who} ${incident.server}` : `server ${incident.server}`
  return `${incident.what} ${incident.who}`
}

export function wordsFor(incident: Incident): string {
  switch (incident.what) {
    case 'lose':
      return `the reply to request ${incident.nth} is lost${incident.cut ? ', with the connection' : ''}`
    case 'delay':
      return `request ${incident.nth} is on its way for ${incident.ms} ms`
    case 'partition':
      return `${incident.lost} to server ${incident.server} are lost`.replace('replies to', 'replies of')
    case 'blip':
      return `server ${incident.server} cannot be connected to`
    case 'foreign':
      return `somebody else: ${incident.how}`
    default:
      return 'server' in incident ? `${incident.what} of server ${incident.server}` : incident.what
  }
}
