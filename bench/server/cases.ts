/** What the server benchmark measures: every combination of operation, depth, value size and key distribution. */

export type Operation = 'get' | 'mg' | 'set' | 'ms'
export type Distribution = 'uniform' | 'zipf'

export interface Case {
  operation: Operation
  /** Requests in flight per connection: 1 waits for every reply. */
  depth: number
  valueBytes: number
  distribution: Distribution
}

export const keyCount = 100_000
export const keyBytes = 12
export const connectionCount = 50
export const zipfExponent = 0.99

const kinds: readonly [Operation, number][] = [
  ['get', 16],
  ['get', 64],
  ['mg', 16],
  ['mg', 64],
  ['set', 16],
  ['set', 64],
  ['ms', 16],
  ['ms', 64],
  ['get', 1],
  ['set', 1],
]

/** Ordered by value size, since every size needs the keys to be stored anew. */
export function casesToRun(quick: boolean): Case[] {
  const sizes = quick ? [100] : [20, 100, 1000]
  const distributions: Distribution[] = quick ? ['uniform'] : ['uniform', 'zipf']
  const depths = quick ? [1, 16] : [1, 16, 64]
  return sizes.flatMap((valueBytes) =>
    kinds
      .filter(([, depth]) => depths.includes(depth))
      .flatMap(([operation, depth]) =>
        distributions.map((distribution) => ({ operation, depth, valueBytes, distribution })),
      ),
  )
}

export function caseName(one: Case): string {
  return `${one.operation} ×${one.depth}, ${one.valueBytes} B, ${one.distribution}`
}
