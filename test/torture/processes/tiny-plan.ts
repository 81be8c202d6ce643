/** Short plans of few words, and what is to be seen in a history. */
import type { FaultName, History, Incident, Plan } from 'latchkey/torture'

export interface Tiny {
  readonly participants?: number
  readonly rounds?: number
  readonly workMs?: number
  /** Who is not the first asks so much later. */
  readonly laterMs?: number
  readonly ttlMs?: number
  readonly waitMs?: number
  readonly lengthMs?: number
  readonly incidents?: readonly Incident[]
}

export function tiny(algorithm: string, fault: FaultName, of: Tiny = {}): Plan {
  const { participants = 3, rounds = 1, workMs = 100, laterMs = 0, ttlMs = 2000, waitMs = 6000, incidents = [] } = of
  return {
    seed: 1,
    ...{ algorithm, fault, ttlMs, waitMs, incidents, lengthMs: of.lengthMs ?? 8000 },
    rounds: Array.from({ length: participants }, (_, who) =>
      Array.from({ length: rounds }, (_, nth) => ({ afterMs: who > 0 && nth === 0 ? laterMs : 0, workMs })),
    ),
  }
}

/** Pairs of participants that believed at the same time. */
export function overlaps({ beliefs }: History): string[] {
  const sorted = [...beliefs].sort((one, other) => one.from - other.from)
  return sorted.flatMap((span, i) =>
    sorted
      .slice(i + 1)
      .filter((later) => later.from < span.to)
      .map((later) => `${span.who} until ${span.to}, ${later.who} from ${later.from}`),
  )
}

/** Told as done, and not in the set. */
export function lost({ updates, final }: History): string[] {
  return updates.filter(({ id, outcome }) => outcome === 'done' && !final.includes(id)).map(({ id }) => id)
}

export function outcomes({ updates }: History): string[] {
  return [...updates].sort((one, other) => (one.id < other.id ? -1 : 1)).map(({ outcome }) => outcome)
}
