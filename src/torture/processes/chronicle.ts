/** Writes down what happens in a run. Moments come in as `nowMs` tells them, and are kept as milliseconds from its beginning. */
import type { BeliefSpan, History, Mark, Update } from '../history.js'
import { BeliefLog } from './belief-log.js'
import { nowMs, type Report } from './messages.js'

interface Begun {
  readonly id: string
  readonly who: number
  readonly from: number
  ended: Extract<Report, { is: 'ended' }> | undefined
}

export class Chronicle {
  readonly #beliefs: readonly BeliefLog[]
  readonly #updates = new Map<string, Begun>()
  readonly #marks: Mark[] = []
  /** Of those who were killed. */
  readonly #deaths = new Map<number, number>()
  #startedAt = 0
  #endedAt = Number.POSITIVE_INFINITY

  constructor(participants: number) {
    this.#beliefs = Array.from({ length: participants }, () => new BeliefLog())
  }

  begin(at: number): void {
    this.#startedAt = at
  }

  /** What happens later does not count; what was told later does. */
  end(at: number): void {
    this.#endedAt = at
  }

  hear(who: number, report: Report): void {
    if ('at' in report && report.at > this.#endedAt) return
    if (report.is === 'believes' || report.is === 'still' || report.is === 'doubts') this.#beliefs[who].hear(report)
    if (report.is === 'began') {
      this.#updates.set(report.id, { id: report.id, who, from: report.at, ended: undefined })
    }
    if (report.is === 'ended') this.#updates.get(report.id)!.ended = report
  }

  /** Now. */
  mark(what: string, who?: number, ms?: number): void {
    const at = this.#since(nowMs())
    this.#marks.push({ at, what, ...(who !== undefined && { who }), ...(ms !== undefined && { ms }) })
  }

  died(who: number): void {
    if (!this.#deaths.has(who)) this.#deaths.set(who, nowMs())
  }

  isDead(who: number): boolean {
    return this.#deaths.has(who)
  }

  history(final: readonly string[]): History {
    return {
      beliefs: this.#beliefs.flatMap((log, who) => this.#spansOf(log, who)),
      updates: [...this.#updates.values()].map((each) => this.#updateOf(each)),
      marks: [...this.#marks],
      deeds: [],
      final: [...final],
      endedAt: this.#since(this.#endedAt),
    }
  }

  #spansOf(log: BeliefLog, who: number): BeliefSpan[] {
    const spans = log.spans(who, this.#deaths.get(who) ?? this.#endedAt)
    return spans.map((span) => ({ ...span, from: this.#since(span.from), to: this.#since(span.to) }))
  }

  #updateOf({ id, who, from, ended }: Begun): Update {
    const to = ended?.at ?? this.#deaths.get(who) ?? this.#endedAt
    const outcome = ended?.outcome ?? 'cut'
    const why = ended?.why
    return { id, who, from: this.#since(from), to: this.#since(to), outcome, ...(why !== undefined && { why }) }
  }

  #since(at: number): number {
    return at - this.#startedAt
  }
}
