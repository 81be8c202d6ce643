/** Chance that is the same for the same seed. */
import { Random } from '../random.js'

/**
 * A number from 0, below 1, that depends on these words only: what is drawn for one thing does not change because another is left
 * out.
 */
export function drawn(...words: readonly number[]): number {
  let hash = 0x9e3779b9
  for (const word of words) hash = mixed(hash ^ Math.imul(word | 0, 0x85ebca6b)) + 0x6d2b79f5
  return mixed(hash) / 2 ** 32
}

/** Numbers of a thing's own, one after the other. */
export class Chance extends Random {
  constructor(...words: readonly number[]) {
    super(Math.floor(drawn(...words) * 2 ** 32))
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
