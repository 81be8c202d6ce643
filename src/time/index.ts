/** Spans of time as people write them, for every part that takes one. */
export { type Span, spanMs } from './span.js'
