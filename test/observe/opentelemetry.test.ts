/** Spans by the real OpenTelemetry SDK, of locks and clients of a real server. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { createClient } from 'latchkey/client'
import { createLocks, type Locks, memcached } from 'latchkey/locks'
import { recordSpans } from 'latchkey/opentelemetry'
import { eventually } from '../support/eventually.js'
import { type ServerProcess, startLatchkey } from '../support/process.js'
import { listenedTo } from './quiet.js'

const exporter = new InMemorySpanExporter()
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
const tracer = tracerProvider.getTracer('test')

let server: ServerProcess
let address: string
let locks: Locks
before(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  server = await startLatchkey({ threads: 1 })
  address = `127.0.0.1:${server.port}`
  locks = createLocks(memcached({ servers: address, freshServers: 'trust' }))
})
after(async () => {
  await locks.close()
  await server.stop()
})
beforeEach(() => exporter.reset())

/** Runs it inside a span of its own, and tells the spans that ended meanwhile. */
async function request(run: () => Promise<unknown>): Promise<{ parent: string; spans: ReadableSpan[] }> {
  const parent = await tracer.startActiveSpan('request', async (span) => {
    await run()
    span.end()
    return span.spanContext().spanId
  })
  return { parent, spans: exporter.getFinishedSpans() }
}

function named(spans: readonly ReadableSpan[], name: string): ReadableSpan[] {
  return spans.filter((span) => span.name === name)
}

test('a lock has a span of getting it and one of holding it, both under what was active', async () => {
  using _ = recordSpans({ tracerProvider })
  let fence = 0n
  const { parent, spans } = await request(async () => {
    await using lock = await locks.acquire('invoice:42', { ttl: '30s' })
    fence = lock.fence
  })
  const [[getting], [holding]] = [named(spans, 'latchkey.lock.acquire'), named(spans, 'latchkey.lock.hold')]
  const own = {
    'latchkey.lock.driver': 'memcached',
    'latchkey.lock.guarantee': 'fenced',
    'latchkey.lock.ttl': 30,
    'latchkey.lock.fence': String(fence),
  }
  assert.deepEqual(getting.attributes, { ...own, 'latchkey.lock.outcome': 'granted' })
  assert.deepEqual(holding.attributes, { ...own, 'latchkey.lock.outcome': 'released' })
  assert.deepEqual([getting.parentSpanContext?.spanId, holding.parentSpanContext?.spanId], [parent, parent])
  assert.equal(holding.links[0].context.spanId, getting.spanContext().spanId)
  assert.equal(holding.status.code, SpanStatusCode.UNSET)
  const commands = spans.filter(({ kind }) => kind === SpanKind.CLIENT)
  assert.ok(commands.length >= 2, 'an add and a delete')
  for (const command of commands) assert.equal(command.parentSpanContext?.spanId, parent, command.name)
})

test('waiting, being refused and being lost', async () => {
  using _ = recordSpans({ tracerProvider })
  const { spans } = await request(async () => {
    const lock = await locks.acquire('a', { ttl: 900, guarantee: 'lease' })
    assert.equal(await locks.tryAcquire('a'), undefined)
    await assert.rejects(locks.acquire('a', { wait: 20 }))
    await locks.forceRelease('a')
    await eventually('it is lost', async () => lock.state === 'lost')
  })
  const getting = named(spans, 'latchkey.lock.acquire').map(({ attributes, status }) => [
    attributes['latchkey.lock.outcome'],
    attributes['latchkey.lock.waiting'],
    attributes['error.type'],
    status.code,
  ])
  assert.deepEqual(getting, [
    ['granted', undefined, undefined, SpanStatusCode.UNSET],
    ['busy', undefined, undefined, SpanStatusCode.UNSET],
    ['failed', 'queue', 'LOCK_WAIT_TIMEOUT', SpanStatusCode.ERROR],
  ])
  const [holding] = named(spans, 'latchkey.lock.hold')
  assert.equal(holding.attributes['latchkey.lock.outcome'], 'lost')
  assert.deepEqual([holding.attributes['error.type'], holding.status.code], ['LOCK_LOST', SpanStatusCode.ERROR])
  assert.deepEqual(
    holding.events.map(({ name, attributes }) => [name, attributes]),
    [['extension', { 'latchkey.lock.extension.by': 'renewal', 'latchkey.lock.extension.status': 'gone' }]],
  )
})

test('renewals belong to no request, although a request has set the timer', async () => {
  using _ = recordSpans({ tracerProvider })
  const { parent } = await request(async () => {
    const lock = await locks.acquire('a', { ttl: 900 })
    const renewals = () =>
      exporter.getFinishedSpans().filter(({ parentSpanContext }) => parentSpanContext === undefined)
    await eventually('it is renewed', async () => renewals().length > 0)
    await lock.release()
  })
  assert.ok(named(exporter.getFinishedSpans(), 'latchkey.lock.hold')[0].parentSpanContext?.spanId === parent)
})

test('a lock that is handed over ends here and begins again where it is restored', async () => {
  using _ = recordSpans({ tracerProvider })
  const { parent, spans } = await request(async () => {
    const lock = await locks.acquire('a')
    const again = await locks.restore(lock.serialize({ detach: true }))
    await again.release()
    await assert.rejects(again.extend())
  })
  const outcomes = named(spans, 'latchkey.lock.hold').map(({ attributes }) => attributes['latchkey.lock.outcome'])
  assert.deepEqual(outcomes, ['detached', 'released'])
  assert.equal(named(spans, 'latchkey.lock.restore')[0].parentSpanContext?.spanId, parent)
})

test('a command has a span by the conventions for databases, and an error its type', async () => {
  using _ = recordSpans({ tracerProvider })
  const { parent, spans } = await request(async () => {
    await using cache = createClient({ servers: address })
    await cache.set('a', 'text')
    await assert.rejects(cache.incr('a'))
  })
  const [set, incr] = spans
  const attributes = { 'db.system.name': 'memcached', 'server.address': '127.0.0.1', 'server.port': server.port }
  assert.deepEqual([set.name, set.kind, set.parentSpanContext?.spanId], [`set ${address}`, SpanKind.CLIENT, parent])
  assert.deepEqual(set.attributes, { ...attributes, 'db.operation.name': 'set' })
  assert.deepEqual([set.status.code, incr.status.code], [SpanStatusCode.UNSET, SpanStatusCode.ERROR])
  assert.deepEqual(incr.attributes, {
    ...attributes,
    'db.operation.name': 'incr',
    'error.type': 'REQUEST_REFUSED',
  })
})

test('no name and no key is recorded, unless by what nameOf makes of it', async () => {
  const use = async () => {
    await using lock = await locks.acquire('secret')
    await locks.tryAcquire(lock.name)
    await using cache = createClient({ servers: address, keyPrefix: 'secret' })
    await cache.set('secret', 'secret')
    await cache.incr('secret').catch(() => {})
  }
  const text = (spans: readonly ReadableSpan[]) =>
    JSON.stringify(spans.map(({ name, attributes, status, events }) => ({ name, attributes, status, events })))
  {
    using _ = recordSpans({ tracerProvider })
    const { spans } = await request(use)
    assert.ok(spans.length > 5)
    assert.doesNotMatch(text(spans), /secret/)
  }
  exporter.reset()
  using _ = recordSpans({ tracerProvider, nameOf: (name) => name.slice(0, 3) })
  const { spans } = await request(use)
  const names = spans.map(({ attributes }) => attributes['latchkey.lock.name']).filter((name) => name !== undefined)
  assert.deepEqual(names, ['sec', 'sec', 'sec'])
  assert.doesNotMatch(text(spans), /secret/)
})

test('without an SDK nothing is recorded and nothing fails; one that is registered later is used', async () => {
  using spans = recordSpans()
  await (await locks.acquire('a')).release()
  assert.deepEqual(exporter.getFinishedSpans(), [])
  trace.setGlobalTracerProvider(tracerProvider)
  try {
    await (await locks.acquire('a')).release()
    assert.equal(named(exporter.getFinishedSpans(), 'latchkey.lock.hold').length, 1)
  } finally {
    trace.disable()
  }
  spans.stop()
  spans.stop()
  assert.deepEqual(listenedTo(), [])
})
