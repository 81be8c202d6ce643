/** From milliseconds of a run to places in its drawing. */

export interface Window {
  readonly from: number
  readonly to: number
}

export interface Scale extends Window {
  x(at: number): number
  /** Where a span lies, cut off at the edges; undefined when it is out of sight. Never thinner than `least`. */
  span(from: number, to: number, least?: number): { readonly x: number; readonly width: number } | undefined
  /** Round numbers of milliseconds, some eight of them. */
  readonly ticks: readonly number[]
  label(at: number): string
}

export function scaleOf({ from, to }: Window, left: number, width: number): Scale {
  const perMs = width / (to - from)
  const x = (at: number) => round(left + (at - from) * perMs)
  const step = roundStep((to - from) / 8)
  const first = Math.ceil(from / step)
  const ticks = Array.from({ length: Math.floor(to / step) - first + 1 }, (_, i) => (first + i) * step)
  const digits = Math.max(0, 3 - Math.floor(Math.log10(step)))
  return {
    from,
    to,
    x,
    ticks,
    label: (at) => `${(at / 1000).toFixed(digits)} s`,
    span(begin, end, least = 1.5) {
      if (end < from || begin > to) return undefined
      const at = x(Math.max(begin, from))
      return { x: at, width: round(Math.max(least, x(Math.min(end, to)) - at)) }
    },
  }
}

/** 1, 2 or 5 times a power of ten. */
function roundStep(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(ms))
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= ms * 0.999)!
}

function round(number: number): number {
  return Math.round(number * 100) / 100
}
