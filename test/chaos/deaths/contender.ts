/** Operations on keys that all threads use: no value is torn or another key's, tokens only rise, pinned items never go. */
import { frame } from '../../store/frames.js'
import type { Hands } from './hands.js'
import { HOT_KEYS, hotKey, PINNED_KEYS, pinnedKey } from './job.js'

export class Contender {
  readonly #hands: Hands

  constructor(hands: Hands) {
    this.#hands = hands
  }

  act(): void {
    const { random } = this.#hands
    const dice = random.below(100)
    if (dice < 12) this.#pinned()
    else if (dice < 35) this.#small()
    else this.#hot(dice)
  }

  #hot(dice: number): void {
    const { random, store } = this.#hands
    const { key, token } = hotKey(random.below(HOT_KEYS))
    const value = frame(key, dice % 2 === 0 ? 700 : random.valueLength(), random.below(2 ** 31))
    if (dice < 55) this.#hands.read(key, token)
    else if (dice < 75) this.#hands.attempt('set', () => store.set(key, value))
    else if (dice < 80) this.#hands.attempt('add', () => store.add(key, value))
    else if (dice < 85) this.#hands.attempt('delete', () => store.delete(key))
    else if (dice < 90) this.#hands.attempt('touch', () => store.touch(key, random.below(2) * 50))
    else if (dice < 94) this.#hands.attempt('append', () => store.append(key, frame(key, 90, dice)))
    else this.#swap(key, token, value)
  }

  #swap(key: string, token: number, value: Buffer): void {
    const entry = this.#hands.read(key, token)
    if (entry !== undefined) this.#hands.attempt('cas', () => this.#hands.store.cas(key, value, entry.cas))
  }

  #pinned(): void {
    const { random, store } = this.#hands
    const { key, token } = pinnedKey(random.below(PINNED_KEYS))
    const value = frame(key, random.below(60), random.below(2 ** 31))
    if (random.below(2) === 0) this.#hands.attempt('set of a pinned key', () => store.set(key, value))
    // A lock that was not free in time reads as undefined too.
    else if (this.#hands.attempt('get', () => store.get(key) ?? 'lost') === 'lost')
      this.#hands.complain(`${key} is lost`)
    else this.#hands.read(key, token)
  }

  /** Ever new small keys: memory stays full, and the index has to split, and to be emptied again. */
  #small(): void {
    const { random, store } = this.#hands
    const key = `small${random.below(1e6)}`
    this.#hands.attempt('set of a new small key', () => store.set(key, frame(key, random.below(400), 1)))
  }
}
