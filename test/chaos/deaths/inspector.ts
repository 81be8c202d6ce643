/** Looks at everything while all threads rest: the memory's own rules, and what each lane was told. */
import { Bytes, type ItemReader, type ItemView, readOptions, Store, type Table } from 'latchkey/store'
import { fault } from '../../store/frames.js'
import { violations } from '../../store/invariants.js'
import { type DeathsJob, HOT_KEYS, hotKey, LANES, PINNED_KEYS, pinnedKey, TURN_KEYS, turnKey } from './job.js'
import { Ledger, OWN_KEYS } from './ledger.js'

type Found = { value: Uint8Array; cas: bigint } | undefined

/** Leaves no trace: what is read often would not be evicted. */
const PEEK = { ...readOptions(), peek: true }
const BLIND: ItemReader = { item: () => undefined }

export class Inspector {
  /** Changes that a thread died in, by what became of them. */
  readonly undecided = { 'as told': 0, done: 0, 'lost in place': 0 }
  readonly faults: string[] = []
  readonly #table: Table
  readonly #store: Store
  readonly #ledger: Ledger
  readonly #job: Pick<DeathsJob, 'tokens' | 'holders'>

  constructor(table: Table, ledger: SharedArrayBuffer, job: Pick<DeathsJob, 'tokens' | 'holders'>) {
    this.#table = table
    this.#store = new Store(table)
    this.#ledger = new Ledger(ledger)
    this.#job = job
  }

  /** Finds out what became of the change that a dead thread was in, and lets go of what it had been given. */
  bury(lane: number, birth: number): void {
    for (let own = 0; own < OWN_KEYS; own++) if (this.#ledger.pending(lane, own) !== undefined) this.#settle(lane, own)
    for (let i = 0; i < TURN_KEYS; i++) this.#release(i, birth)
  }

  look(): void {
    // Whoever uses a stripe first repairs what was broken off there: an operation that found the pool locked for too long.
    for (let cursor = this.#table.scanPinned(0, BLIND); cursor !== 0; ) cursor = this.#table.scanPinned(cursor, BLIND)
    this.faults.push(...violations(this.#table.handle))
    for (let lane = 0; lane < LANES; lane++) for (let own = 0; own < OWN_KEYS; own++) this.#lookAtOwn(lane, own)
    for (let i = 0; i < HOT_KEYS; i++) this.#lookAtShared(hotKey(i), false)
    for (let i = 0; i < PINNED_KEYS; i++) this.#lookAtShared(pinnedKey(i), true)
  }

  #settle(lane: number, own: number): void {
    const { settled, wrong } = this.#ledger.settle(lane, own, this.#peek(this.#ledger.keyOf(lane, own))?.value)
    if (wrong !== undefined) this.faults.push(wrong)
    if (settled !== undefined) this.undecided[settled]++
  }

  /** The first of those who wait then has it. */
  #release(i: number, birth: number): void {
    Atomics.compareExchange(this.#job.holders, i, birth, 0)
    const { key } = turnKey(i)
    const found = this.#peek(key)
    if (found !== undefined && Number(Buffer.from(found.value).toString()) === birth) this.#store.delete(key, found.cas)
  }

  #lookAtOwn(lane: number, own: number): void {
    const key = this.#ledger.keyOf(lane, own)
    const wrong = this.#ledger.judge(lane, own, this.#peek(key)?.value)
    if (wrong !== undefined) this.faults.push(wrong)
  }

  #lookAtShared({ key, token }: { key: string; token: number }, mustBe: boolean): void {
    const found = this.#peek(key)
    if (found === undefined) {
      if (mustBe) this.faults.push(`${key} is lost`)
      return
    }
    const wrong = fault(key, found.value)
    if (wrong !== undefined) this.faults.push(wrong)
    const seen = Atomics.load(this.#job.tokens, token)
    if (found.cas < seen) this.faults.push(`${key}: token ${found.cas} after ${seen}`)
  }

  #peek(name: string): Found {
    const key = this.#table.newKey()
    const bytes = Buffer.from(name)
    key.setBytes(new Bytes(bytes), 0, bytes.length)
    let found: Found
    this.#table.tick()
    this.#table.read(key, PEEK, {
      item(view: ItemView) {
        const target = Bytes.allocate(view.valueLength)
        view.copyValue(target, 0)
        found = { value: target.u8, cas: view.cas }
      },
    })
    return found
  }
}
