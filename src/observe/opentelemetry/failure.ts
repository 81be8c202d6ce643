/** What spans say of errors. */
import { type Span, SpanStatusCode } from '@opentelemetry/api'
import { codeOf } from '../errors.js'

/** For the attribute `error.type`: the code, or the name of an error that has none. */
export function errorType(error: unknown): string {
  return codeOf(error) ?? (error instanceof Error ? error.name : '_OTHER')
}

export function fail(span: Span, type: string): void {
  span.setAttribute('error.type', type)
  span.setStatus({ code: SpanStatusCode.ERROR })
}
