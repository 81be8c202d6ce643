/**
 * How long a value lives.
 *
 * A number is milliseconds; a string is a number with a unit, `'500ms' '30s' '5m' '2h' '7d' '1w'`; a Date is the moment
 * of its end. Nothing, 0 and Infinity mean that it does not expire. Anything else is an `InvalidArgumentError`.
 *
 * memcached counts in whole seconds, by a clock that ticks once a second: sent as n seconds, a value lives between
 * n − 1 and n. Lives are therefore rounded up to a whole second, never down, and `'1s'` may be over at once. Up to 30 days
 * are sent as a span. More is sent as a moment of the wall clock, so there the server's clock counts. What ends after
 * January 2038 is refused: memcached has 32 bits for the moment, and would take a later one for the past.
 */
import { inspect } from 'node:util'
import { MAX_RELATIVE_SECONDS } from '../protocol/index.js'
import { type Span, spanMs } from '../time/index.js'
import { InvalidArgumentError } from './errors.js'

export type { Span }

/** A span in milliseconds or with its unit (ms, s, m, h, d, w), or the moment of the end; 0 and Infinity: no end. */
export type Ttl = Span | Date

const lastMoment = 2 ** 31 - 1

/** A span as milliseconds: 0 or more, Infinity included. A Date is no span. */
export function milliseconds(span: Ttl): number {
  const ms = spanMs(span)
  if (ms !== undefined) return ms
  throw new InvalidArgumentError(`not a span of time: ${inspect(span)}; use milliseconds, or a string such as '30s'`)
}

/** What is left of it at `nowMs` (unix time): Infinity when it does not expire, 0 or less when it is over. */
export function remainingMs(ttl: Ttl | undefined, nowMs: number): number {
  if (ttl instanceof Date) {
    const left = ttl.getTime() - nowMs
    if (Number.isNaN(left)) throw new InvalidArgumentError('the time to live is an invalid Date')
    return left
  }
  return (ttl === undefined ? 0 : milliseconds(ttl)) || Number.POSITIVE_INFINITY
}

/** The exptime that memcached is sent, in seconds: 0 does not expire, −1 is over, above 30 days a unix time. */
export function exptimeOf(ttl: Ttl | undefined, nowMs: number): number {
  const left = remainingMs(ttl, nowMs)
  if (left === Number.POSITIVE_INFINITY) return 0
  if (left <= 0) return -1
  const seconds = Math.ceil(left / 1000)
  if (seconds <= MAX_RELATIVE_SECONDS) return seconds
  const moment = Math.ceil((nowMs + left) / 1000)
  if (moment <= lastMoment) return moment
  throw new InvalidArgumentError(`memcached cannot tell moments after January 2038: ${inspect(ttl)}; 0 does not expire`)
}
