import type { Random } from './random.js'

/** Draws ranks from 0 on: rank r with a probability proportional to 1 / (r + 1)^exponent. */
export type RankSampler = () => number

/**
 * Exact, by inverting the cumulative sum with a binary search. The usual approximations are quicker to set up,
 * but break down near an exponent of 1, which is where the interesting traces lie.
 */
export function zipfSampler(count: number, exponent: number, random: Random): RankSampler {
  const cumulative = cumulativeWeights(count, exponent)
  const total = cumulative[count - 1]
  return () => firstAbove(cumulative, random() * total)
}

export function uniformSampler(count: number, random: Random): RankSampler {
  return () => Math.floor(random() * count)
}

function cumulativeWeights(count: number, exponent: number): Float64Array {
  const cumulative = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank++) {
    sum += (rank + 1) ** -exponent
    cumulative[rank] = sum
  }
  return cumulative
}

function firstAbove(cumulative: Float64Array, point: number): number {
  let low = 0
  let high = cumulative.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (cumulative[middle] > point) high = middle
    else low = middle + 1
  }
  return low
}
