/** Operations on the lane's own keys: every answer is known beforehand, but for what was evicted or has expired. */
import { frame } from '../../store/frames.js'
import type { Hands } from './hands.js'
import type { Deed } from './job.js'
import { ABSENT, type Item, OWN_KEYS } from './ledger.js'

/** Briefly enough to expire within the run, in ms. */
const BRIEF_MS = 25
const LONG_MS = 3_600_000
const NEED_AN_ITEM = new Set<Deed>(['append', 'prepend', 'cas', 'touch', 'incr'])

export class Owner {
  readonly #hands: Hands
  readonly #lane: number

  constructor(hands: Hands) {
    this.#hands = hands
    this.#lane = hands.job.lane
  }

  act(): void {
    const { random, ledger } = this.#hands
    const own = random.below(OWN_KEYS)
    const dice = random.below(100)
    if (dice < 25) this.#read(own)
    else if (dice < 33) this.#delete(own)
    else if (dice < 41) this.#touch(own)
    else if (ledger.isNumber(own)) this.#count(own)
    else if (dice < 62) this.#set(own)
    else if (dice < 70) this.#extend(own, 'append')
    else if (dice < 76) this.#extend(own, 'prepend')
    else if (dice < 86) this.#swap(own)
    else if (dice < 93) this.#add(own)
    else this.#setBriefly(own)
  }

  #read(own: number): Uint8Array | undefined {
    const { store, ledger } = this.#hands
    const key = ledger.keyOf(this.#lane, own)
    // Wrapped, as undefined is an answer too.
    const found = this.#hands.attempt('get', () => ({ value: store.get(key) }))
    if (found === undefined) return undefined
    this.#judge(own, found.value)
    return found.value
  }

  #judge(own: number, value: Uint8Array | undefined): void {
    const wrong = this.#hands.ledger.judge(this.#lane, own, value)
    if (wrong !== undefined) this.#hands.complain(wrong)
  }

  /** The operation found nothing: then nothing need be there. */
  #missed(own: number): void {
    this.#judge(own, undefined)
    this.#hands.ledger.end(this.#lane, own, ABSENT)
  }

  /** Begins a change to `next`, and ends it as `act` says: done, a miss, or nothing changed. */
  #change(deed: Deed, own: number, next: Item, act: (key: string) => 'done' | 'missed' | 'unchanged'): void {
    const { ledger } = this.#hands
    const told = ledger.told(this.#lane, own)
    ledger.begin(this.#lane, own, next)
    const outcome = this.#hands.attempt(deed, () => act(ledger.keyOf(this.#lane, own)))
    if (outcome === 'done' && told.newest === 0 && NEED_AN_ITEM.has(deed))
      this.#hands.complain(`${deed} of ${ledger.keyOf(this.#lane, own)}, which is not there`)
    if (outcome === undefined) this.#findOut(own)
    else if (outcome === 'done') ledger.end(this.#lane, own, next)
    else if (outcome === 'missed') this.#missed(own)
    else ledger.end(this.#lane, own, told)
  }

  /** The store refused: what was there may have gone to make room. */
  #findOut(own: number): void {
    const { store, ledger } = this.#hands
    for (;;) {
      const found = this.#hands.attempt('get', () => ({ value: store.get(ledger.keyOf(this.#lane, own)) }))
      if (found === undefined) continue
      const { wrong } = ledger.settle(this.#lane, own, found.value)
      if (wrong !== undefined) this.#hands.complain(wrong)
      return
    }
  }

  #next(own: number): number {
    return this.#hands.ledger.nextNumber(this.#lane, own)
  }

  #value(own: number, number: number, length: number): Buffer {
    return frame(this.#hands.ledger.keyOf(this.#lane, own), length, number)
  }

  #set(own: number): void {
    const { random, store } = this.#hands
    const newest = this.#next(own)
    // Half of the lengths are all the same, so that items are overwritten in place.
    const inPlace = random.below(2) === 0
    const value = this.#value(own, newest, inPlace ? 500 : random.valueLength())
    this.#change(inPlace ? 'set' : 'set of another size class', own, { ...ABSENT, newest, frames: 1 }, (key) => {
      store.set(key, value)
      return 'done'
    })
  }

  #setBriefly(own: number): void {
    const newest = this.#next(own)
    const value = this.#value(own, newest, this.#hands.random.valueLength())
    this.#change('set that expires', own, { newest, frames: 1, mayEnd: true }, (key) => {
      this.#hands.store.set(key, value, { ttlMs: 1 + this.#hands.random.below(BRIEF_MS) })
      return 'done'
    })
  }

  #add(own: number): void {
    const newest = this.#next(own)
    const value = this.#value(own, newest, this.#hands.random.below(600))
    this.#change('add', own, { ...ABSENT, newest, frames: 1 }, (key) => {
      const isAdded = this.#hands.store.add(key, value)
      if (isAdded) this.#judge(own, undefined)
      else if (this.#hands.ledger.told(this.#lane, own).newest === 0) this.#hands.complain(`${key} is there again`)
      return isAdded ? 'done' : 'unchanged'
    })
  }

  #extend(own: number, how: 'append' | 'prepend'): void {
    const { random, store, ledger } = this.#hands
    const { frames, mayEnd } = ledger.told(this.#lane, own)
    const newest = this.#next(own)
    const value = this.#value(own, newest, random.below(400))
    // Or a value would grow for ever.
    if (frames > 12) this.#delete(own)
    else
      this.#change(how, own, { newest, frames: frames + 1, mayEnd }, (key) =>
        store[how](key, value) ? 'done' : 'missed',
      )
  }

  #swap(own: number): void {
    const { random, store, ledger } = this.#hands
    const entry = this.#hands.attempt('get', () => store.gets(ledger.keyOf(this.#lane, own)))
    if (entry === undefined) return
    this.#judge(own, entry.value)
    const newest = this.#next(own)
    const value = this.#value(own, newest, random.valueLength())
    this.#change('cas', own, { ...ABSENT, newest, frames: 1 }, (key) => {
      const outcome = store.cas(key, value, entry.cas)
      if (outcome === 'exists') this.#hands.complain(`${key}: another token, and nobody else writes it`)
      return outcome === 'stored' ? 'done' : 'missed'
    })
  }

  #delete(own: number): void {
    this.#change('delete', own, ABSENT, (key) => {
      if (!this.#hands.store.delete(key)) this.#judge(own, undefined)
      return 'done'
    })
  }

  #touch(own: number): void {
    const told = this.#hands.ledger.told(this.#lane, own)
    this.#change('touch', own, told, (key) => (this.#hands.store.touch(key, LONG_MS) ? 'done' : 'missed'))
  }

  /** Counts on, or begins again where nothing is left to count. */
  #count(own: number): void {
    const { store, ledger } = this.#hands
    const newest = ledger.told(this.#lane, own).newest + 1
    this.#change('incr', own, { ...ABSENT, newest }, (key) => {
      const counted = store.incr(key)
      if (counted === undefined) return 'missed'
      if (counted !== BigInt(newest)) this.#hands.complain(`${key}: counted ${counted}, not ${newest}`)
      return 'done'
    })
    if (ledger.told(this.#lane, own).newest !== 0) return
    this.#change('set', own, { ...ABSENT, newest: 7 }, (key) => {
      store.set(key, '7')
      return 'done'
    })
  }
}
