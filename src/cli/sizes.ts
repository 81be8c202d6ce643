/** Sizes, counts and spans as people write them on a command line. Refusals say what was expected. */
import { InvalidArgumentError } from 'commander'
import { spanMs } from '../time/index.js'

export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`)
  }
}

/** `1m`, `512k`, or bytes; the answer is bytes. */
export function itemSize(text: string): number {
  const match = /^(\d+)([kKmM]?)$/.exec(text)
  const unit = match?.[2]?.toLowerCase()
  const bytes = match ? Number(match[1]) * (unit === 'm' ? 1_048_576 : unit === 'k' ? 1024 : 1) : Number.NaN
  if (bytes >= 1024 && bytes <= 1_073_741_824) return bytes
  throw new InvalidArgumentError('Expected a size from 1k to 1024m, such as 512k or 4m.')
}

/** Permissions as chmod takes them; the answer is a number. */
export function octal(text: string): number {
  if (/^0?[0-7]{1,3}$/.test(text)) return Number.parseInt(text, 8)
  throw new InvalidArgumentError('Expected permissions in octal, such as 700.')
}

/** `500ms`, `30s`, `5m`; the answer is milliseconds. */
export function span(text: string): number {
  const ms = spanMs(text)
  if (ms !== undefined) return ms
  throw new InvalidArgumentError('Expected a span of time, such as 500ms, 30s, 5m or 2h.')
}

/** As `span`, or `forever`. */
export function spanOrForever(text: string): number {
  return text === 'forever' ? Number.POSITIVE_INFINITY : span(text)
}
