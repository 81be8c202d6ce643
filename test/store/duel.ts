/** A table and its model doing the same commands, compared after every one. */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { Bytes, type ItemReader, Outcome, readOptions, type StoreOptions, Table, writeOptions } from 'latchkey/store'
import { type Command, type Comparison, KEYS } from './commands.js'
import { violations } from './invariants.js'
import { Model, type Shown } from './model.js'
import { VirtualClock } from './virtual-clock.js'

const ITEM_MAX = 64 * 1024

class Capture implements ItemReader {
  shown: Shown | undefined
  cas = 0n
  readonly #touched: boolean

  constructor(touched = false) {
    this.#touched = touched
  }

  item(view: Parameters<ItemReader['item']>[0]): void {
    const target = Bytes.allocate(view.valueLength)
    view.copyValue(target, 0)
    const { flags, ttlMs, fetched, stale, won, wonBefore } = view
    this.shown = { value: Buffer.from(target.u8).toString('latin1'), flags, ttlMs, fetched, stale, won, wonBefore }
    if (this.#touched) this.shown.ttlBeforeMs = view.ttlBeforeMs
    this.cas = view.cas
  }
}

export class Duel {
  readonly #clock = new VirtualClock()
  readonly #model = new Model(this.#clock, ITEM_MAX)
  readonly #table: Table
  /** Where memory is short any item but a pinned one may be missing, and any write refused. */
  readonly #short: boolean
  readonly #seen = new Map<string, bigint>()
  readonly #tokens = new Set<bigint>()
  #strangers = 0

  constructor(options: StoreOptions, short: boolean) {
    this.#table = Table.create({ ...options, itemMax: ITEM_MAX }, this.#clock)
    this.#short = short
    // A table's first millisecond is number 1, as number 0 would look like "never".
    this.#clock.advance(1)
  }

  run(commands: readonly Command[]): void {
    for (const one of commands) {
      this.#table.tick()
      if ('key' in one) this.#admitLoss(one.key)
      this.#step(one)
      if ('key' in one) this.#compareItem(one.key, 'newCas' in one ? one.newCas : undefined)
    }
    for (const key of KEYS) this.#compareItem(key, undefined)
    this.#settle()
    this.#table.close()
  }

  get evictions(): number {
    return this.#table.stats().evictions
  }

  #step(one: Command): void {
    const capture = new Capture(one.kind === 'read' && one.touch)
    const { evictions } = this
    const expect = <T>(key: string, ask: () => T, actual: T): void =>
      assert.deepEqual(actual, this.#expected(key, evictions, ask, actual))
    switch (one.kind) {
      case 'read': {
        const hit = this.#table.read(this.#key(one.key), one, capture)
        assert.equal(hit, capture.shown !== undefined, 'hit')
        expect(one.key, () => this.#model.read(one.key, one), capture.shown)
        return
      }
      case 'write': {
        const options = {
          ...one,
          bindTo: 0,
          fence: this.#fenceFor(one),
          compareCas: this.#tokenFor(one.key, one.compare),
        }
        const text = Buffer.from(one.text, 'latin1')
        const outcome = this.#table.write(this.#key(one.key), new Bytes(text), 0, text.length, options, capture)
        if (this.#wasRefused(one.key, outcome)) return
        expect(one.key, () => answer(this.#model.write(one.key, text, options)), answer({ outcome, ...capture }))
        return
      }
      case 'remove': {
        const options = { ...one, fence: this.#fenceFor(one), compareCas: this.#tokenFor(one.key, one.compare) }
        const outcome = this.#table.remove(this.#key(one.key), options)
        if (!this.#wasRefused(one.key, outcome)) expect(one.key, () => this.#model.remove(one.key, options), outcome)
        return
      }
      case 'arithmetic': {
        const options = { ...one, compareCas: this.#tokenFor(one.key, one.compare) }
        const outcome = this.#table.arithmetic(this.#key(one.key), options, capture)
        if (this.#wasRefused(one.key, outcome)) return
        expect(one.key, () => answer(this.#model.arithmetic(one.key, options)), answer({ outcome, ...capture }))
        return
      }
      case 'advance':
        this.#clock.advance(one.ms)
        return
      case 'sweep':
        this.#table.sweep()
        return
      case 'flush':
        this.#table.flush(one.delayMs)
        this.#model.flush(one.delayMs)
        return
      case 'fill':
        this.#fill(one.items, one.bytes)
    }
  }

  /** Where memory is short a fence may be noted whose write is then refused; a key at the limit can have none. */
  #fenceFor({ key, fence }: { key: string; fence: bigint | undefined }): bigint | undefined {
    return this.#short || key.length > 235 ? undefined : fence
  }

  #fill(items: number, bytes: number): void {
    const value = Bytes.allocate(bytes)
    for (let i = 0; i < items; i++)
      this.#table.write(this.#key(`stranger${this.#strangers++}`), value, 0, bytes, writeOptions())
  }

  /**
   * What the model answers. Where memory is short, an operation that has made room may have evicted its own item on the
   * way: then the answer for a missing item is right as well.
   */
  #expected<T>(key: string, evictionsBefore: number, ask: () => T, actual: T): T {
    const wasThere = this.#model.live(key) !== undefined
    const expected = ask()
    const mayBeGone = wasThere && this.#short && !key.startsWith('latchkey:lock:') && this.evictions > evictionsBefore
    if (!mayBeGone || isDeepStrictEqual(expected, actual)) return expected
    this.#model.items.delete(key)
    return ask()
  }

  /** Where memory is short: takes from the model what the table has evicted. */
  #admitLoss(key: string): void {
    if (!this.#short || key.startsWith('latchkey:lock:') || this.#model.live(key) === undefined) return
    if (this.#look(key).shown === undefined) this.#model.items.delete(key)
  }

  #wasRefused(key: string, outcome: Outcome): boolean {
    if (outcome !== Outcome.OutOfMemory) return false
    assert.ok(this.#short, 'refused for want of memory')
    if (this.#look(key).shown === undefined) this.#model.items.delete(key)
    return true
  }

  #look(key: string): Capture {
    const capture = new Capture()
    this.#table.tick()
    this.#table.read(this.#key(key), { ...readOptions(), peek: true }, capture)
    return capture
  }

  /** The item is the model's, and its token is new if the model's has gone. */
  #compareItem(key: string, newCas: bigint | undefined): void {
    this.#admitLoss(key)
    const { shown, cas } = this.#look(key)
    const peek = { ...readOptions(), peek: true }
    assert.deepEqual(shown, this.#model.read(key, peek), `the item '${key}'`)
    const item = this.#model.live(key)
    if (item === undefined) return
    if (item.cas !== undefined) {
      assert.equal(cas, item.cas, 'the token stays, or is the one asked for')
      if (cas !== newCas) return
    } else {
      assert.ok(cas > (this.#seen.get(key) ?? 0n), 'tokens rise')
      assert.ok(!this.#tokens.has(cas) && cas < 2n ** 63n, 'tokens are unique')
      this.#seen.set(key, cas)
      this.#tokens.add(cas)
    }
    item.cas = cas
  }

  #tokenFor(key: string, comparison: Comparison): bigint | undefined {
    const cas = this.#model.live(key)?.cas ?? 1n
    if (comparison === 'none') return undefined
    if (comparison === 'own') return cas
    return comparison === 'older' ? cas - 1n : cas + 10n ** 15n
  }

  /** After a sweep nothing is left of what has expired, and the memory is sound. */
  #settle(): void {
    this.#table.tick()
    this.#table.sweep()
    assert.deepEqual(violations(this.#table.handle), [])
    const { currItems, bytes, freeBytes, garbageBytes, indexBytes, limitMaxbytes } = this.#table.stats()
    let scanned = 0
    let size = 0
    let cursor = 0
    const count: ItemReader = {
      item(view) {
        scanned++
        size += view.size
      },
    }
    do cursor = this.#table.scan(cursor, count)
    while (cursor !== 0)
    assert.deepEqual([currItems, bytes], [scanned, size], 'the statistics are what a scan finds')
    assert.equal(bytes + freeBytes + garbageBytes + indexBytes, limitMaxbytes)
    const classes = this.#table.sizeClasses().reduce((sum, { items }) => sum + items, 0)
    assert.equal(classes, scanned)
    if (!this.#short) assert.equal(scanned, this.#model.size)
  }

  #key(name: string) {
    const key = this.#table.newKey()
    const bytes = new Bytes(Buffer.from(name, 'latin1'))
    key.setBytes(bytes, 0, bytes.u8.length)
    return key
  }
}

function answer({ outcome, shown }: { outcome: Outcome; shown?: Shown | undefined }): [Outcome, Shown | undefined] {
  return [outcome, shown]
}
