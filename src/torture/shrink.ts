/** Makes a plan that breaks something smaller, for as long as it still does: what is left is what it takes. */
import type { Incident, Plan, Round } from './plan.js'

/** How often a smaller plan is tried out, at most. */
const MOST_TRIES = 400

type IsBad = (plan: Plan) => Promise<boolean>
/** All the plans that are one step smaller, the greatest steps first. */
type Smaller = (plan: Plan) => Iterable<Plan>

/** The plan itself when nothing can be left out. What `isBad` throws comes through. */
export async function shrink(plan: Plan, isBad: IsBad, mostTries = MOST_TRIES): Promise<Plan> {
  const shrinking = new Shrinking(plan, isBad, mostTries)
  // What one way has left out may let another go further.
  while ((await shrinking.pass()) && !shrinking.isTired);
  return shrinking.best
}

class Shrinking {
  best: Plan
  readonly #isBad: IsBad
  #triesLeft: number

  constructor(plan: Plan, isBad: IsBad, mostTries: number) {
    this.best = plan
    this.#isBad = isBad
    this.#triesLeft = mostTries
  }

  get isTired(): boolean {
    return this.#triesLeft <= 0
  }

  /** True when something was left out. */
  async pass(): Promise<boolean> {
    const before = this.best
    for (const smaller of ways) while (await this.#step(smaller));
    return this.best !== before
  }

  /** To the first smaller plan that is bad. */
  async #step(smaller: Smaller): Promise<boolean> {
    for (const plan of smaller(this.best)) {
      if (this.#triesLeft-- <= 0) return false
      if (!(await this.#isBad(plan))) continue
      this.best = plan
      return true
    }
    return false
  }
}

function* fewerIncidents(plan: Plan): Iterable<Plan> {
  const { incidents } = plan
  if (incidents.length > 1) yield { ...plan, incidents: [] }
  for (const i of incidents.keys()) yield { ...plan, incidents: incidents.toSpliced(i, 1) }
}

/** Their numbers stay as they are: who does nothing has no rounds. */
function* fewerParticipants(plan: Plan): Iterable<Plan> {
  for (const [who, rounds] of plan.rounds.entries()) {
    if (rounds.length === 0) continue
    const incidents = plan.incidents.filter((incident) => !('who' in incident && incident.who === who))
    yield { ...withRounds(plan, who, []), incidents }
  }
}

function* fewerRounds(plan: Plan): Iterable<Plan> {
  for (const [who, rounds] of plan.rounds.entries()) {
    for (const i of rounds.keys()) if (rounds.length > 1) yield withRounds(plan, who, rounds.toSpliced(i, 1))
  }
}

function* shorterRounds(plan: Plan): Iterable<Plan> {
  for (const [who, rounds] of plan.rounds.entries()) {
    for (const [i, round] of rounds.entries()) {
      for (const shorter of shorterRound(round)) yield withRounds(plan, who, rounds.with(i, shorter))
    }
  }
}

function* shorterRound(round: Round): Iterable<Round> {
  for (const workMs of rounder(round.workMs)) yield { ...round, workMs }
  for (const afterMs of rounder(round.afterMs)) yield { ...round, afterMs }
}

function* shorterIncidents(plan: Plan): Iterable<Plan> {
  for (const [i, incident] of plan.incidents.entries()) {
    for (const shorter of shorterIncident(incident)) yield { ...plan, incidents: plan.incidents.with(i, shorter) }
  }
}

function* shorterIncident(incident: Incident): Iterable<Incident> {
  for (const at of rounder(incident.at)) yield { ...incident, at }
  if ('ms' in incident) for (const ms of rounder(incident.ms)) yield { ...incident, ms }
  if ('downMs' in incident) for (const downMs of rounder(incident.downMs)) yield { ...incident, downMs }
}

const ways: readonly Smaller[] = [fewerIncidents, fewerParticipants, fewerRounds, shorterRounds, shorterIncidents]

/** Smaller, and rounder: none of them is greater, so that it ends. */
function* rounder(ms: number): Iterable<number> {
  if (ms > 0) yield 0
  for (const unit of [1000, 100, 10]) {
    const whole = Math.floor(ms / unit) * unit
    if (whole > 0 && whole < ms) yield whole
  }
}

function withRounds(plan: Plan, who: number, rounds: readonly Round[]): Plan {
  return { ...plan, rounds: plan.rounds.with(who, rounds) }
}
