import { median, round } from '../support/statistics.js'
import { inTurns } from '../support/turns.js'
import type { Crew } from './crew.js'
import { handOversMs, inOrder, sharedNow, shares, type Tenure } from './tenures.js'

export interface HotRow {
  name: string
  waiters: number
  /** From one waiter to another. */
  handOversPerSecond: number
  /** And those of who released it a moment before. */
  acquiredPerSecond: number
  /** By the unluckiest and the luckiest waiter, per second: 0 is one who starved in the median run. */
  fewestPerSecond: number
  mostPerSecond: number
}

const marginMs = 50
const quickRuns = { repeats: 1, durationMs: 500, warmUpMs: 100 }
const fullRuns = { repeats: 5, durationMs: 1500, warmUpMs: 500 }

/** So many take one lock and free it at once, again and again. */
export async function measureHot(crews: readonly Crew[], quick: boolean): Promise<HotRow[]> {
  const { repeats, durationMs, warmUpMs } = quick ? quickRuns : fullRuns
  const rows: HotRow[] = []
  for (const waiters of [10, 100]) {
    for (const crew of crews) await contend(crew, waiters, warmUpMs)
    const seen = await inTurns(crews, repeats, (crew) => contend(crew, waiters, durationMs))
    rows.push(...crews.map(({ contender: { name } }, at) => hotRow(name, waiters, durationMs, seen[at])))
  }
  return rows
}

/** The tenures that began within the time: at its end everybody who still waits gets his turn. */
async function contend(crew: Crew, waiters: number, durationMs: number): Promise<Tenure[]> {
  const startsAt = sharedNow() + marginMs
  const endsAt = startsAt + durationMs
  const all = Array.from({ length: waiters }, (_, waiter) => waiter)
  const lists = await crew.all<Tenure[]>((worker) => ({
    kind: 'contend',
    name: `hot:${waiters}`,
    waiters: all.filter((waiter) => waiter % crew.size === worker),
    startsAt,
    endsAt,
  }))
  return inOrder(crew.contender.name, lists).filter(({ heldAt }) => heldAt < endsAt)
}

export function hotRow(name: string, waiters: number, durationMs: number, runs: readonly Tenure[][]): HotRow {
  const perSecond = (count: (ordered: readonly Tenure[]) => number) => (median(runs.map(count)) * 1000) / durationMs
  return {
    name,
    waiters,
    handOversPerSecond: Math.round(perSecond((ordered) => handOversMs(ordered).length)),
    acquiredPerSecond: Math.round(perSecond((ordered) => ordered.length)),
    fewestPerSecond: round(perSecond((ordered) => shares(ordered, waiters)[0])),
    mostPerSecond: round(perSecond((ordered) => shares(ordered, waiters)[waiters - 1])),
  }
}
