/**
 * The list of free pages stays locked, as when its holder has died and nobody has come round to burying it. An operation then
 * has happened, or has thrown and changed nothing; in either case all is well again once the list is free.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Bytes, Store, StoreLockTimeoutError, Table } from 'latchkey/store'
import { Global, Mark, Stripe } from '#dist/store/layout.js'
import { ownerWord } from '#dist/store/lock.js'
import { Memory } from '#dist/store/memory.js'
import { slotsOf } from '#dist/store/threads.js'
import { eventually } from '../support/eventually.js'
import { violations } from './invariants.js'
import { MORTAL_THREAD_ID, MortalThread } from './mortal-thread.js'
import { VirtualClock } from './virtual-clock.js'

/** Of several pages, so that it needs some, and gives some back. */
const LARGE = 'l'.repeat(20_000)
const PAGE_BYTES = 4096
/** Pages that only survivors of an eviction may use, in a store as small as this. */
const RESERVE = 12

/** Closed at the end of the test, be it red: who waits would keep the process alive. */
class Subject {
  readonly clock = new VirtualClock()
  readonly table = Table.create({ memory: '8mb' }, this.clock)
  readonly store = new Store(this.table)
  readonly #memory = new Memory(this.table.handle.memory)

  constructor(t: TestContext) {
    t.after(() => this.store.close())
  }

  /** Somebody dies holding the list. */
  stickPool(): void {
    new MortalThread(this.table.handle, this.clock)
    Atomics.store(this.#memory.control, Global.PoolLock, ownerWord(slotsOf(this.#memory, MORTAL_THREAD_ID)[0]!))
  }

  /** He is buried. What was left undone is repaired by the sweep. */
  freePool(): void {
    this.table.recover(MORTAL_THREAD_ID)
    this.table.sweep()
    assert.deepEqual(violations(this.table.handle), [])
  }

  get free(): number {
    return this.#memory.control[Global.PoolFree]!
  }

  /** Stripes that wait for a repair. */
  get damaged(): number {
    const { control, stripes } = this.#memory
    let count = 0
    for (let i = 0; i < stripes; i++)
      if ((control[this.#memory.stripeAt(i) + Stripe.Marks]! & Mark.Damaged) !== 0) count++
    return count
  }

  textOf(key: string): string | undefined {
    const value = this.store.get(key)
    return value && Buffer.from(value).toString()
  }

  stripeOf(name: string): number {
    const key = this.table.newKey()
    key.setBytes(new Bytes(Buffer.from(name)), 0, name.length)
    return key.stripe
  }

  /** A name of the same stripe as another. */
  besides(name: string): string {
    for (let i = 0; ; i++) if (this.stripeOf(`besides${i}`) === this.stripeOf(name)) return `besides${i}`
  }
}

interface Change {
  before: string | undefined
  change: (store: Store) => unknown
  after: string | undefined
}

const thatGivePages: Record<string, Change> = {
  delete: { before: LARGE, change: (store) => assert.equal(store.delete('k'), true), after: undefined },
  'a smaller value': { before: LARGE, change: (store) => store.set('k', 'small'), after: 'small' },
  'an item that expires at once': {
    before: LARGE,
    change: (store) => store.set('k', '', { ttlMs: -1 }),
    after: undefined,
  },
  'a compare-and-swap': {
    before: LARGE,
    change: (store) => assert.equal(store.cas('k', 'swapped', store.gets('k')!.cas), 'stored'),
    after: 'swapped',
  },
}

for (const [name, { before, change, after }] of Object.entries(thatGivePages)) {
  test(`${name}: done, though the pages cannot be given back`, (t) => {
    const subject = new Subject(t)
    subject.store.set('bystander', LARGE)
    if (before !== undefined) subject.store.set('k', before)
    subject.stickPool()
    change(subject.store)
    subject.freePool()
    assert.equal(subject.textOf('k'), after)
    assert.equal(subject.textOf('bystander'), LARGE)
  })
}

const thatTakePages: Record<string, Omit<Change, 'after'>> = {
  'a larger value': { before: 'small', change: (store) => store.set('k', LARGE) },
  'a new item': { before: undefined, change: (store) => store.add('k', LARGE) },
  append: { before: 'small', change: (store) => store.append('k', LARGE) },
  'a larger value of a pinned item': {
    before: 'small',
    change: (store) => store.set('latchkey:lock:k', 'x'.repeat(PAGE_BYTES)),
  },
}

for (const [name, { before, change }] of Object.entries(thatTakePages)) {
  test(`${name}: thrown, and nothing changed, when no page can be taken`, (t) => {
    const subject = new Subject(t)
    subject.store.set('bystander', LARGE)
    for (const key of ['k', 'latchkey:lock:k']) if (before !== undefined) subject.store.set(key, before)
    subject.stickPool()
    assert.throws(() => change(subject.store), StoreLockTimeoutError)
    subject.freePool()
    for (const key of ['k', 'latchkey:lock:k']) assert.equal(subject.textOf(key), before)
    assert.equal(subject.textOf('bystander'), LARGE)
  })
}

test('a delete is done even if the key cannot be handed over yet, and who waits has it in the end', async (t) => {
  const subject = new Subject(t)
  const { store } = subject
  store.set('k', 'held')
  // What is left of the page does not do for the item of the one who waits.
  store.set(subject.besides('k'), 'x'.repeat(PAGE_BYTES - 400))
  const waiting = store.claimOrWait('k', 'w'.repeat(700), { waitMs: 600_000 })
  await eventually('he waits', async () => store.stats().waiters === 1)
  subject.stickPool()
  assert.equal(store.delete('k'), true)
  assert.throws(() => store.add('k', 'in between'), StoreLockTimeoutError, 'the key is not seen vacant')
  subject.freePool()
  assert.ok((await waiting) !== undefined)
  assert.equal(subject.textOf('k'), 'w'.repeat(700))
})

const fromStripeToStripe: Record<string, (subject: Subject) => void> = {
  eviction: ({ store }) => {
    for (let i = 0; ; i++) store.set(`n${i}`, 'x'.repeat(1000))
  },
  flush: ({ store }) => store.flush(),
  sweep: ({ clock, table }) => {
    clock.advance(20_000)
    table.sweep()
  },
}

for (const [name, act] of Object.entries(fromStripeToStripe)) {
  test(`${name}: ends in the first stripe that cannot give a page back, not to wait in each`, (t) => {
    const subject = new Subject(t)
    const { store } = subject
    // Until the next page has to be made by evicting.
    for (let i = 0; store.stats().evictions === 0 || subject.free > RESERVE; i++)
      store.set(`k${i}`, 'x'.repeat(1000), { ttlMs: 10_000 })
    subject.stickPool()
    assert.throws(() => act(subject), StoreLockTimeoutError)
    assert.equal(subject.damaged, 1)
    subject.freePool()
  })
}
