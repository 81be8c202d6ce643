/**
 * Two spans for each lock: of getting it, and of holding it. Both begin in the context of who asked for it, and so have the same parent:
 * by the time it is held, getting it is over.
 */
import type { Attributes, Span, Tracer } from '@opentelemetry/api'
import type { ExtensionEvent, LockEvent } from '../../locks/index.js'
import { codeOf } from '../errors.js'
import type { Subscriptions } from '../subscriptions.js'
import { errorType, fail } from './failure.js'

interface Spans {
  readonly attributes: Attributes
  readonly getting: Span
  holding: Span | undefined
}

export function recordLocks(
  tracer: Tracer,
  on: Subscriptions,
  nameOf: ((name: string) => string | undefined) | undefined,
): void {
  const recorder = new Recorder(tracer, nameOf)
  on.on('latchkey:lock:acquire', (event) => recorder.begin(event))
  on.on('latchkey:lock:grant', (event) => recorder.grant(event))
  on.on('latchkey:lock:error', (event) => recorder.fail(event))
  on.on('latchkey:lock:extend', (event) => recorder.extension(event))
  on.on('latchkey:lock:lost', (event) => recorder.end(event, 'lost'))
  on.on('latchkey:lock:release', (event) => recorder.end(event, event.outcome!))
}

class Recorder {
  readonly #tracer: Tracer
  readonly #nameOf: ((name: string) => string | undefined) | undefined
  readonly #spans = new WeakMap<LockEvent, Spans>()

  constructor(tracer: Tracer, nameOf: ((name: string) => string | undefined) | undefined) {
    this.#tracer = tracer
    this.#nameOf = nameOf
  }

  begin(event: LockEvent): void {
    const attributes = this.#attributes(event)
    const name = event.restored ? 'latchkey.lock.restore' : 'latchkey.lock.acquire'
    const getting = this.#tracer.startSpan(name, { attributes })
    this.#spans.set(event, { attributes, getting, holding: undefined })
  }

  grant(event: LockEvent): void {
    const spans = this.#spans.get(event)
    if (spans === undefined) return
    const { getting } = spans
    const fence = event.fence === undefined ? {} : { 'latchkey.lock.fence': String(event.fence) }
    getting.setAttributes({ ...fence, ...waitingOf(event), 'latchkey.lock.outcome': 'granted' })
    getting.end()
    const attributes = { ...spans.attributes, ...fence }
    const links = [{ context: getting.spanContext() }]
    spans.holding = this.#tracer.startSpan('latchkey.lock.hold', { attributes, links })
  }

  /** That another holds it is an answer to who would not wait, and no failure. */
  fail(event: LockEvent): void {
    const getting = this.#spans.get(event)?.getting
    if (getting === undefined) return
    const type = errorType(event.error)
    getting.setAttributes({ ...waitingOf(event), 'latchkey.lock.outcome': type === 'LOCK_BUSY' ? 'busy' : 'failed' })
    if (type !== 'LOCK_BUSY') fail(getting, type)
    getting.end()
  }

  /** Those that succeed are too many for a lock that is held for long. */
  extension({ lock, by, status, error }: ExtensionEvent): void {
    if (status === 'extended') return
    const type = codeOf(error)
    const attributes = { 'latchkey.lock.extension.by': by, 'latchkey.lock.extension.status': status }
    const holding = this.#spans.get(lock)?.holding
    holding?.addEvent('extension', type === undefined ? attributes : { ...attributes, 'error.type': type })
  }

  end(event: LockEvent, outcome: string): void {
    const holding = this.#spans.get(event)?.holding
    if (holding === undefined) return
    holding.setAttribute('latchkey.lock.outcome', outcome)
    if (outcome === 'lost') fail(holding, 'LOCK_LOST')
    holding.end()
  }

  #attributes({ name, driver, guarantee, ttlMs }: LockEvent): Attributes {
    const shown = this.#shown(name)
    return {
      'latchkey.lock.driver': driver,
      'latchkey.lock.guarantee': guarantee,
      'latchkey.lock.ttl': ttlMs / 1000,
      ...(shown !== undefined && { 'latchkey.lock.name': shown }),
    }
  }

  #shown(name: string): string | undefined {
    try {
      return this.#nameOf?.(name)
    } catch {
      return undefined
    }
  }
}

function waitingOf({ waiting }: LockEvent): Attributes {
  return waiting === undefined ? {} : { 'latchkey.lock.waiting': waiting }
}
