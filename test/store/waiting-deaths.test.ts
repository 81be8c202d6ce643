/**
 * A thread dies at every write that it makes while a key changes hands, and another one recovers what it held. Afterwards the
 * key is with its old holder, or with the first in the queue and with nobody else, who knows it; and the queue goes on.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Store, Table } from 'latchkey/store'
import { WaiterState } from '#dist/store/waiter-layout.js'
import { isInQueue } from '#dist/store/waiters.js'
import { violations } from './invariants.js'
import { countAtomics } from './mortal-memory.js'
import { MORTAL_THREAD_ID, MortalThread } from './mortal-thread.js'
import { VirtualClock } from './virtual-clock.js'

const OTHER_THREAD_ID = 888_888
/** What the mortal thread itself may have put under the key. */
const OWN = 'mortal'

interface Scenario {
  /** What the mortal thread does in advance; its result is passed on. */
  prepare?: (thread: MortalThread, clock: VirtualClock) => number
  act: (thread: MortalThread, prepared: number) => void
}

const scenarios: Record<string, Scenario> = {
  delete: { act: (thread) => thread.remove('k') },
  'a touch that ends it': { act: (thread) => thread.read('k', { touch: true, ttlMs: -1 }) },
  'a set that is over': { act: (thread) => thread.write('k', OWN, { ttlMs: -1 }) },
  'finding it expired': {
    prepare: (_, clock) => {
      clock.advance(60_001)
      return 0
    },
    act: (thread) => thread.read('k'),
  },
  flush: { act: (thread) => thread.engine.flush(0) },
  'joining the queue': { act: (thread) => thread.wait('k', OWN) },
  'leaving the queue from its head': {
    prepare: (thread) => thread.wait('k', OWN),
    act: (thread, waiter) => thread.abandon('k', waiter),
  },
  'being handed the key, and giving it back': {
    prepare: (thread) => thread.wait('k', OWN),
    act: (thread, waiter) => {
      thread.remove('k')
      thread.abandon('k', waiter)
    },
  },
  'storing what is bound to it': { act: (thread) => thread.bind('k', OWN) },
  'storing elsewhere what is bound to it': { act: (thread) => thread.bind('other', OWN) },
}

let restoreAtomics = () => {}
before(() => {
  restoreAtomics = countAtomics()
})
after(() => restoreAtomics())

for (const [name, scenario] of Object.entries(scenarios)) {
  test(`death in ${name}`, (t) => {
    const clock = new VirtualClock()
    const table = Table.create({ memory: '1mb' }, clock)
    const store = new Store(table)
    store.set('k', 'holder', { ttlMs: 60_000 })
    const mortal = new MortalThread(table.handle, clock)
    const other = new MortalThread(table.handle, clock, OTHER_THREAD_ID)
    const prepared = scenario.prepare?.(mortal, clock) ?? 0
    const waiting = ['first', 'second'].map((value) => other.wait('k', value))
    const { control, data, waiters } = table.handle.memory
    const buffers = [control, waiters, ...data].map((buffer) => new Uint8Array(buffer))
    const saved = buffers.map((buffer) => buffer.slice())
    const restore = () => buffers.forEach((buffer, i) => void buffer.set(saved[i]!))

    const { writes } = mortal.live(Number.POSITIVE_INFINITY, (thread) => scenario.act(thread, prepared))
    t.diagnostic(`${writes} deaths`)
    for (let end = 0; end < writes; end++) {
      restore()
      const when = `after a death at write ${end} of ${writes}`
      assert.ok(mortal.live(end, (thread) => scenario.act(thread, prepared)).died, when)
      table.recover(MORTAL_THREAD_ID)
      store.get('k')
      assert.deepEqual(violations(table.handle), [], when)
      checkHolder(store, other, waiting, when)
      assert.equal(store.get('other'), undefined, when)
    }
    store.close()
  })
}

/** Nobody has the key without knowing, and nobody believes to have it who has not; then the queue is played to its end. */
function checkHolder(store: Store, other: MortalThread, waiting: number[], when: string): void {
  const table = other.engine.waiters
  const values = ['first', 'second']
  const held = () => {
    const entry = store.gets('k')
    return entry && { value: Buffer.from(entry.value).toString(), cas: entry.cas }
  }
  for (let turn = 0; turn <= values.length; turn++) {
    const entry = held()
    assert.notEqual(entry?.value, OWN, `${when}: what the dead thread had`)
    waiting.forEach((waiter, i) => {
      const state = table.stateOf(waiter)
      if (state === WaiterState.Free) return
      if (entry?.value !== values[i]) assert.ok(isInQueue(state), `${when}: ${values[i]} in state ${state}`)
      else {
        assert.equal(state, WaiterState.Granted, `${when}: ${values[i]} has the key`)
        assert.equal(table.casOf(waiter), entry?.cas, when)
        table.free(waiter)
      }
    })
    store.delete('k')
  }
  assert.equal(held(), undefined, when)
  for (const waiter of waiting) assert.equal(table.stateOf(waiter), WaiterState.Free, `${when}: all had their turn`)
}
