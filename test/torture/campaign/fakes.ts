/** A laboratory whose runs are told by algorithm, fault and seed alone, and rules that go with it. */

import type { Rules } from '#dist/torture/campaign/crew.js'
import { overlapsOf } from '#dist/torture/checker/overlaps.js'
import type {
  Algorithm,
  BeliefSpan,
  FaultName,
  History,
  Laboratory,
  Plan,
  Update,
  Violation,
} from '#dist/torture/index.js'

const change = async () => 'done' as const

export const careless: Algorithm = {
  name: 'careless',
  row: 1,
  what: 'looks, <then> sets',
  story: 'none',
  home: 'memcached',
  change,
}
export const forgetful: Algorithm = {
  ...careless,
  name: 'forgetful',
  row: 2,
  what: 'loses what it was told',
  story: 'flush',
  without: ['restart'],
}
export const sound: Algorithm = {
  name: 'sound',
  what: 'does it right',
  home: 'latchkey',
  exceeded: { pause: 'Who does not ask whether it still holds is not told.' },
  change,
}
export const algorithms = [careless, forgetful, sound]

export const rules: Rules = {
  planOf: (algorithm, fault, seed): Plan => ({
    seed,
    algorithm: algorithm.name,
    fault,
    ttlMs: 2000,
    waitMs: 5000,
    rounds: [[{ afterMs: 0, workMs: 100 }], [{ afterMs: 10, workMs: 100 }]],
    incidents: [
      { at: 500, what: 'pause', who: 1, ms: 2500 },
      { at: 1500, what: 'restart', server: 0, downMs: 400 },
      { at: 2000, what: 'lose', who: 0, nth: 2, cut: false },
    ],
    lengthMs: 10_000,
  }),
  check: (_plan, _algorithm, { beliefs, updates, final }): Violation[] => [
    ...overlapsOf(beliefs).map(
      ({ one, other, from }): Violation => ({
        kind: 'overlap',
        at: from,
        text: 'two <b>at once</b>',
        who: [one.who, other.who],
      }),
    ),
    ...updates
      .filter(({ id, outcome }) => outcome === 'done' && !final.includes(id))
      .map(({ id, to, who }): Violation => ({ kind: 'lost update', at: to, text: `${id} & its like`, who: [who] })),
  ],
}

export class Fake implements Laboratory {
  readonly name: Laboratory['name']
  readonly atOnce: number
  /** Plans that it was given, as `algorithm/fault/seed`. */
  readonly given: string[] = []
  /** The most that ran at the same time. */
  most = 0
  #running = 0
  readonly #before: (plan: Plan) => Promise<void>

  constructor(
    name: Laboratory['name'] = 'simulation',
    atOnce = 2,
    before: (plan: Plan) => Promise<void> = async () => {},
  ) {
    this.name = name
    this.atOnce = atOnce
    this.#before = before
  }

  refuses(algorithm: Algorithm, fault: FaultName): string | undefined {
    return algorithm.name === 'sound' && fault === 'evict' ? 'it pins its locks' : undefined
  }

  async run(plan: Plan): Promise<History> {
    this.given.push(`${plan.algorithm}/${plan.fault}/${plan.seed}`)
    this.most = Math.max(this.most, ++this.#running)
    try {
      await this.#before(plan)
      return historyOf(plan)
    } finally {
      this.#running--
    }
  }

  async close(): Promise<void> {}
}

/**
 * careless: two at once, longer with greater seeds, in every second run. forgetful: from a flush one update is lost, in every run with
 * a seed that three divides there is an overlap too. sound: only a pause makes it overlap.
 */
export function historyOf({ algorithm, fault, seed }: Plan): History {
  const overlaps =
    (algorithm === 'careless' && seed % 2 === 0) ||
    (algorithm === 'forgetful' && fault === 'flush' && seed % 3 === 0) ||
    (algorithm === 'sound' && fault === 'pause')
  const loses = algorithm === 'forgetful' && fault === 'flush'
  const beliefs: BeliefSpan[] = [
    { who: 0, from: 1000, to: 3000, fence: '71', owner: 'a"<b>' },
    { who: 1, from: overlaps ? 3000 - seed : 3000, to: 4000, fence: '72' },
  ]
  const updates: Update[] = [
    { id: 'p0-1', who: 0, from: 900, to: 3000, outcome: 'done' },
    { id: 'p1-1', who: 1, from: 950, to: 4000, outcome: 'done' },
    { id: 'p1-2', who: 1, from: 4100, to: 5000, outcome: 'failed', why: 'no <server>' },
  ]
  return {
    beliefs,
    updates,
    marks: [
      { at: 500, what: 'pause', who: 1, ms: 2500 },
      { at: 1500, what: 'restart of server 0', ms: 400 },
      { at: 2000, what: 'a reply is lost', who: 0 },
    ],
    deeds: [
      { at: 1000, what: 'add', key: 'latchkey:lock:x', by: 0, after: 'a"<b>' },
      { at: 2990, what: 'delete', key: 'latchkey:lock:x', by: 0, before: 'a"<b>' },
      { at: 3000, what: 'expire', key: 'latchkey:lock:x', before: 'a"<b>' },
    ],
    final: loses ? ['p0-1'] : ['p0-1', 'p1-1'],
    endedAt: 6000,
  }
}
