/** Spans of all locks and clients of this thread, from their diagnostics channels. */
import { type TracerProvider, trace } from '@opentelemetry/api'
import { Subscriptions } from '../subscriptions.js'
import { recordCommands } from './command-spans.js'
import { recordLocks } from './lock-spans.js'

export interface SpanOptions {
  /** Default: the one that is registered globally, now or later. Where there is none, nothing is recorded. */
  readonly tracerProvider?: TracerProvider
  /**
   * What stands for a lock of this name in the attribute `latchkey.lock.name`; undefined: nothing. Called once for each acquisition; one
   * that throws counts as undefined. Default: there is no such attribute, since names are often personal.
   */
  readonly nameOf?: (name: string) => string | undefined
}

export interface RecordedSpans extends Disposable {
  /** Listens no more. Spans that have begun are not ended: release what is held before. */
  stop(): void
}

/**
 * The parent of a span is what was active when `acquire`, `restore` or the client's method was called. No key is recorded, and no
 * error's message: they have the names of locks in them.
 */
export function recordSpans({ tracerProvider, nameOf }: SpanOptions = {}): RecordedSpans {
  const tracer = (tracerProvider ?? trace).getTracer('latchkey')
  const subscriptions = new Subscriptions()
  recordLocks(tracer, subscriptions, nameOf)
  recordCommands(tracer, subscriptions)
  const stop = () => subscriptions.stop()
  return { stop, [Symbol.dispose]: stop }
}
