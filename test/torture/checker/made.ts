/** Histories by hand: only what a test is about has to be said. */
import type { BeliefSpan, Deed, History, Plan, Update } from 'latchkey/torture'

export function plan(of: Partial<Plan> = {}): Plan {
  return {
    seed: 1,
    algorithm: 'add-delete',
    fault: 'none',
    ttlMs: 2000,
    waitMs: 500,
    rounds: [[{ afterMs: 0, workMs: 100 }], [{ afterMs: 0, workMs: 100 }]],
    incidents: [],
    lengthMs: 12_000,
    ...of,
  }
}

export function history(of: Partial<History> = {}): History {
  return { beliefs: [], updates: [], marks: [], deeds: [], final: [], endedAt: 12_000, ...of }
}

export function belief(who: number, from: number, to: number, fence?: number): BeliefSpan {
  return { who, from, to, fence: fence?.toString() }
}

export function update(who: number, from: number, to: number, outcome: Update['outcome'] = 'done'): Update {
  return { id: `${who}@${from}`, who, from, to, outcome }
}

/** `value` is what the record says after it; of what takes it away, nothing. */
export function deed(at: number, what: Deed['what'], by?: number, value?: string, before?: string): Deed {
  return { at, what, key: 'lock', by, before, after: value }
}

export const kinds = (violations: readonly { kind: string }[]) => violations.map(({ kind }) => kind)
