/** Chance that is the same for the same seed. */

/**
 * A number from 0, below 1, that depends on these words only: what is drawn for one thing does not change because another is left
 * out.
 */
export function drawn(...words: readonly number[]): number {
  let hash = 0x9e3779b9
  for (const word of words) hash = mixed(hash ^ Math.imul(word | 0, 0x85ebca6b)) + 0x6d2b79f5
  return mixed(hash) / 2 ** 32
}

/** Numbers from 0, below 1, one after the other (mulberry32). */
export class Chance {
  #state: number

  constructor(...words: readonly number[]) {
    this.#state = Math.floor(drawn(...words) * 2 ** 32) | 0
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What is drawn, for whom: the first word after the seed, so that no two draws are of one kind by accident. */
export enum Draw {
  Request = 1,
  Reply,
  Connect,
  Step,
  Clock,
  Random,
  Owner,
  Server,
  Loss,
  Resume,
}

function mixed(hash: number): number {
  let h = hash | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
