import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { contenders } from '../../bench/client/contenders.js'
import type { Order } from '../../bench/client/worker.js'
import { Remote } from '../../bench/support/remote.js'
import { startMemcached } from '../../bench/support/servers.js'
import type { Span } from '../../bench/support/span.js'
import { requirePeer } from '../support/peers.js'

const workerScript = join(import.meta.dirname, '../../bench/client/worker.js')
const valueBytes = 10_000

for (const [number, { name }] of contenders.entries()) {
  test(`${name} stores and reads what is measured, in a process of its own`, async (t) => {
    if (!requirePeer(t, '/usr/bin/memcached')) return
    const { pid, port, stop } = await startMemcached({ threads: 2, memoryMiB: 64 })
    const worker = new Remote<Order, Span>(workerScript, name, undefined, [String(number)])
    try {
      await worker.order({ kind: 'open', server: { pid, port }, cores: [0] })
      await worker.order({ kind: 'store', valueBytes })
      for (const operation of ['get', 'set', 'getMany'] as const) {
        const span = await worker.order({
          kind: 'run',
          cell: { operation, concurrency: 8, valueBytes },
          durationMs: 50,
        })
        assert.ok(span!.operations > 0, `${operation}: ${span!.operations} operations`)
        assert.ok(span!.p50Ms > 0 && span!.p50Ms <= span!.p99Ms)
      }
    } finally {
      worker.stop()
      await stop()
    }
  })
}
