/** Spans of time as people write them, and pauses between tries. */
export { Backoff } from './backoff.js'
export { type Span, spanMs } from './span.js'
