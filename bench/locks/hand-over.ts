import { type Random, seededRandom } from '../support/random.js'
import { percentile, round } from '../support/statistics.js'
import { inTurns } from '../support/turns.js'
import type { Crew } from './crew.js'
import { handOversMs, inOrder, keptOrder, overtakings, sharedNow, type Tenure } from './tenures.js'

export interface HandOverRow {
  name: string
  waiters: number
  rounds: number
  p50Ms: number
  p99Ms: number
  /** Of all hand-overs, to whoever had waited longest. */
  inOrderShare: number
  /** Those who asked later and got it sooner, for the unluckiest. */
  overtakenMax: number
  /** From the release that all waited for, until the last of them had it, in the slowest round. */
  lastMsMax: number
}

/** Longer than anybody's polling interval, so that polls are spread as those of strangers are. */
const arrivalsMs = 300
/** Time for the order to reach all processes, and for the last request to reach the server. */
const marginMs = 50
const holdMs = 1
const roundsOf = { quick: [2, 1, 1], full: [25, 10, 5] }

/** So many wait for one lock that another holds; it is released, and each in turn holds it for a millisecond. */
export async function measureHandOvers(crews: readonly Crew[], quick: boolean): Promise<HandOverRow[]> {
  const rows: HandOverRow[] = []
  for (const [at, waiters] of [2, 10, 100].entries()) {
    const rounds = roundsOf[quick ? 'quick' : 'full'][at]
    // All contenders see the same arrivals: each has a generator that begins with the same seed.
    const arrivals = new Map(crews.map((crew) => [crew, seededRandom(waiters)]))
    const seen = await inTurns(crews, rounds, (crew) => playRound(crew, waiters, arrivals.get(crew)!))
    rows.push(...crews.map(({ contender: { name } }, crew) => handOverRow(name, waiters, seen[crew])))
  }
  return rows
}

/** @throws Error when two held the lock at once. */
export async function playRound(crew: Crew, waiters: number, random: Random): Promise<Tenure[]> {
  const name = `hand-over:${waiters}`
  await crew.one({ kind: 'hold', names: [name] })
  const startsAt = sharedNow() + marginMs
  const asks = Array.from({ length: waiters }, (_, waiter) => ({ waiter, at: startsAt + random() * arrivalsMs }))
  const freeAt = startsAt + arrivalsMs + marginMs
  const lists = await crew.all<Tenure[]>((worker) => ({
    kind: 'queue',
    name,
    asks: asks.filter(({ waiter }) => waiter % crew.size === worker),
    freeAt,
    holdMs,
  }))
  return inOrder(crew.contender.name, lists)
}

/** A round is all tenures of one lock in order, the first being the one that the others waited for. */
export function handOverRow(name: string, waiters: number, rounds: readonly (readonly Tenure[])[]): HandOverRow {
  const latencies = rounds.flatMap(handOversMs).sort((one, other) => one - other)
  const kept = rounds.reduce((sum, ordered) => sum + keptOrder(ordered), 0)
  return {
    name,
    waiters,
    rounds: rounds.length,
    p50Ms: round(percentile(latencies, 50)),
    p99Ms: round(percentile(latencies, 99)),
    inOrderShare: round(kept / latencies.length),
    overtakenMax: Math.max(...rounds.flatMap(overtakings)),
    lastMsMax: round(Math.max(...rounds.map((ordered) => ordered[ordered.length - 1].heldAt - ordered[0].freedAt))),
  }
}
