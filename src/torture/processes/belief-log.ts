/**
 * What one participant believed when, put together from what it told. A lease says by itself until when it is believed in: so the belief
 * of one that was stopped ends when its lease did, and not when it was woken and could say so.
 */
import type { BeliefSpan } from '../history.js'
import type { Believing } from './messages.js'

interface Entry {
  readonly from: number
  readonly fence: string | undefined
  readonly owner: string | undefined
  /** Not later than this, unless told otherwise; undefined: until it says so. */
  until: number | undefined
  to: number | undefined
}

export class BeliefLog {
  readonly #entries = new Map<number, Entry>()

  hear(report: Believing): void {
    const { at, belief, leftMs } = report
    const until = leftMs === undefined ? undefined : at + leftMs
    if (report.is === 'believes') {
      this.#entries.set(belief, { from: at, fence: report.fence, owner: report.owner, until, to: undefined })
      return
    }
    const entry = this.#entries.get(belief)
    if (entry === undefined || entry.to !== undefined) return
    if (leftMs === 0) entry.to = earlier(at, entry.until)
    else if (report.is === 'doubts') entry.to = at
    else entry.until = until
  }

  /** `end`: of the participant, or of the run. */
  spans(who: number, end: number): BeliefSpan[] {
    return [...this.#entries.values()].map(({ from, fence, owner, until, to }) => ({
      ...{ who, from, to: Math.max(from, to ?? earlier(end, until)) },
      ...(fence !== undefined && { fence }),
      ...(owner !== undefined && { owner }),
    }))
  }
}

function earlier(at: number, other: number | undefined): number {
  return other === undefined ? at : Math.min(at, other)
}
