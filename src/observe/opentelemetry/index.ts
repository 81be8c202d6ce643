/** `latchkey/opentelemetry`: spans of locks and clients, for `@opentelemetry/api`, which is to be installed beside it. */
export { type RecordedSpans, recordSpans, type SpanOptions } from './record.js'
