/** One line of the table of targets. */
export interface TargetRow {
  what: string
  must: string
  wants: string
  measured: string
  verdict: string
}

export function verdict(worst: number, must: number, wants: number): string {
  if (worst >= wants) return 'wanted'
  return worst >= must ? 'reached' : 'missed'
}

export function times(ratio: number): string {
  return `${ratio.toFixed(2)} ×`
}
