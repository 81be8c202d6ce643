/** A span is a number of milliseconds, or a number with its unit: `'500ms' '30s' '5m' '2h' '7d' '1w'`. */

/** A span of time: milliseconds, or text with a unit (ms, s, m, h, d, w). */
export type Span = number | string

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** Milliseconds: 0 or more, Infinity included; `undefined` for what is no span. */
export function spanMs(span: unknown): number | undefined {
  const ms = typeof span === 'string' ? parse(span) : span
  return typeof ms === 'number' && ms >= 0 ? ms : undefined
}

let lastText = ''
let lastMs: number | undefined

/** Who takes a thousand locks a second gives the same text each time. */
function parse(text: string): number | undefined {
  if (text !== lastText) {
    lastMs = parsed(text)
    lastText = text
  }
  return lastMs
}

function parsed(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text)
  return parts === null ? undefined : Number(parts[1]) * unitsMs[parts[2]]
}
