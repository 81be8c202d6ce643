/** A span for each command of a client, by the conventions for databases (https://opentelemetry.io/docs/specs/semconv/database/). */
import { type Attributes, type Span, SpanKind, type Tracer } from '@opentelemetry/api'
import type { CommandEvent } from '../../client/index.js'
import type { Subscriptions } from '../subscriptions.js'
import { errorType, fail } from './failure.js'

export function recordCommands(tracer: Tracer, on: Subscriptions): void {
  const spans = new WeakMap<CommandEvent, Span>()
  on.on('latchkey:client:command:start', (event) => {
    const { operation, server } = event
    const attributes = { 'db.system.name': 'memcached', 'db.operation.name': operation, ...addressOf(server) }
    spans.set(event, tracer.startSpan(`${operation} ${server}`, { kind: SpanKind.CLIENT, attributes }))
  })
  on.on('latchkey:client:command:end', (event) => spans.get(event)?.end())
  on.on('latchkey:client:command:error', (event) => {
    const span = spans.get(event)
    if (span === undefined) return
    fail(span, errorType(event.error))
    span.end()
  })
}

/** Of `host:port`, `[host]:port` or a path. */
function addressOf(server: string): Attributes {
  const parts = /^\[?([^/]+?)\]?:(\d+)$/.exec(server)
  return parts === null ? { 'server.address': server } : { 'server.address': parts[1], 'server.port': Number(parts[2]) }
}
