/** Writes plans: who asks when, and what strikes when, drawn from a seed. For one seed all algorithms get the same, as far as they can. */
import type { Algorithm } from './algorithm.js'
import type { FaultName } from './faults.js'
import { incidentsOf } from './incidents.js'
import type { Plan, Round, Stranger } from './plan.js'
import { Random } from './random.js'

/** Long enough for pauses beyond the longest lease, and for a run in real time. */
const LENGTH_MS = 12_000
/** Latchkey gives no lock for as long after a restart: the longest lease, and what is written ahead. Then it gives some again. */
const GRACE_MS = 17_000
/** What all rounds work together: they do it one after the other. */
const MOST_WORK_MS = 6000
/** When that is used up. */
const ENOUGH_WORK_MS = 20
const USUAL_WORK_MS = 300
/** Of the works, so many are as long as the lease, or nearly. */
const LONG_PERCENT = 10
const LEASES_MS = [2000, 3000, 4000]
/** As memcached counts; ours refuses that there, and takes 2 s. */
const SHORTEST_LEASE_MS = 1000
const SHORTEST_OF_OURS_MS = 2000

const everyStranger: readonly Stranger[] = ['set', 'touch', 'delete']

/** What has been drawn so far, for whoever decides what strikes. */
export interface Draft {
  readonly random: Random
  readonly participants: number
  readonly servers: number
  /** A lock is on a majority of them. */
  readonly quorum: boolean
  readonly strangers: readonly Stranger[]
  readonly ttlMs: number
  /** Asks first, and so holds first wherever that is decided by who comes first: an incident can be aimed at it. */
  readonly first: number
  /** How long it then works. */
  readonly firstWorkMs: number
}

/** The same for the same arguments. */
export function planOf(algorithm: Algorithm, fault: FaultName, seed: number): Plan {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995)
  const participants = random.between(3, 5)
  const first = random.below(participants)
  const shortWorkMs = random.between(200, 600)
  const drawnTtlMs = random.pick(LEASES_MS)
  const ttlMs = leaseOf(algorithm, fault, drawnTtlMs)
  const longWorkMs = Math.round((ttlMs * random.between(100, 150)) / 100)
  // Long enough to be renewed: of those who do, some are to be struck in the middle of that.
  const firstWorkMs = random.chance(30) && algorithm.row === undefined ? longWorkMs : shortWorkMs
  const waitMs = random.pick([500, 2000, 6000])
  const { servers = 1, quorum = false, strangers = everyStranger } = algorithm
  const draft = { random, participants, servers, quorum, strangers, ttlMs, first, firstWorkMs }
  const graceMs = fault === 'restart' && algorithm.home === 'latchkey' ? GRACE_MS : 0
  const rounds = roundsOf(draft, fault)
  return {
    seed,
    algorithm: algorithm.name,
    fault,
    ttlMs,
    waitMs,
    rounds: graceMs > 0 ? rounds.map((each) => [...each, { afterMs: graceMs, workMs: ENOUGH_WORK_MS }]) : rounds,
    incidents: incidentsOf(draft, fault).sort((one, other) => one.at - other.at),
    lengthMs: LENGTH_MS + graceMs,
  }
}

function leaseOf({ ttlMs, row, home }: Algorithm, fault: FaultName, drawnMs: number): number {
  if (ttlMs !== undefined) return ttlMs
  if (fault !== 'boundary') return drawnMs
  return row === undefined && home === 'memcached' ? SHORTEST_OF_OURS_MS : SHORTEST_LEASE_MS
}

function roundsOf(draft: Draft, fault: FaultName): Round[][] {
  const { random, participants } = draft
  const works = new Works(draft, fault)
  return Array.from({ length: participants }, (_, who) =>
    Array.from({ length: random.between(2, 5) }, (_, nth) => ({
      afterMs: afterMs(draft, fault, who, nth),
      workMs: works.next(who, nth),
    })),
  )
}

function afterMs({ random, first }: Draft, fault: FaultName, who: number, nth: number): number {
  const drawn = random.below(400)
  if (fault === 'none') return nth === 0 ? 0 : Math.floor(drawn / 10)
  if (nth > 0) return drawn
  return who === first ? 0 : 30 + Math.floor(drawn / 4)
}

/** Deals out work until there is enough of it. */
class Works {
  readonly #draft: Draft
  readonly #fault: FaultName
  readonly #firstMs: number
  #leftMs: number

  constructor(draft: Draft, fault: FaultName) {
    this.#draft = draft
    this.#fault = fault
    this.#firstMs = this.#first()
    this.#leftMs = MOST_WORK_MS - this.#firstMs
  }

  next(who: number, nth: number): number {
    if (who === this.#draft.first && nth === 0) return this.#firstMs
    const wantedMs = this.#wanted()
    const workMs = wantedMs <= this.#leftMs ? wantedMs : Math.min(ENOUGH_WORK_MS, this.#leftMs)
    this.#leftMs -= workMs
    return workMs
  }

  #first(): number {
    if (this.#fault === 'overrun') return this.#longMs() + Math.round(this.#draft.ttlMs * 0.3)
    return this.#fault === 'none' || this.#fault === 'boundary' ? this.#wanted() : this.#draft.firstWorkMs
  }

  #wanted(): number {
    const { random } = this.#draft
    const usualMs = random.below(USUAL_WORK_MS)
    const longMs = this.#longMs()
    const isLong = random.chance(LONG_PERCENT)
    if (this.#fault === 'none') return usualMs
    if (this.#fault === 'boundary') return isLong ? longMs : Math.round(longMs / 2)
    return isLong ? longMs : usualMs
  }

  /** Near the end of the lease, but within it. */
  #longMs(): number {
    const { random, ttlMs } = this.#draft
    return Math.round((ttlMs * random.between(80, 99)) / 100)
  }
}
