/** A seeded generator (mulberry32), so that every run and both servers see the same requests. */
export type Random = () => number

/** Returns numbers in [0, 1), 32 bits of resolution. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The numbers 0 to `count` − 1 in random order: which key is popular must not follow from its number. */
export function shuffledIndices(count: number, random: Random): Uint32Array {
  const indices = Uint32Array.from({ length: count }, (_, index) => index)
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const kept = indices[last]
    indices[last] = indices[other]
    indices[other] = kept
  }
  return indices
}
