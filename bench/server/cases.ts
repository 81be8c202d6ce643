/** What the server benchmark measures: every combination of operation, depth, value size and key distribution. */

/** `getkq` is how clients of the binary protocol read many keys: quiet gets, and a noop that is answered behind them. */
export type Operation = 'get' | 'mg' | 'set' | 'ms' | 'binary get' | 'binary set' | 'getkq'
/** What is spoken, and over what: a part of the benchmark each. */
export type Wire = 'text' | 'binary' | 'tls'
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

const kinds: Record<Wire, readonly [Operation, number][]> = {
  text: [
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
  ],
  binary: [
    ['binary get', 16],
    ['binary get', 64],
    ['getkq', 16],
    ['getkq', 64],
    ['binary set', 16],
    ['binary set', 64],
    ['binary get', 1],
    ['binary set', 1],
  ],
  tls: [
    ['get', 16],
    ['mg', 16],
    ['mg', 64],
    ['set', 16],
    ['set', 64],
    ['get', 1],
    ['set', 1],
  ],
}

/** Ordered by value size, since every size needs the keys to be stored anew. */
export function casesToRun(wire: Wire, quick: boolean): Case[] {
  const sizes = quick ? [100] : wire === 'text' ? [20, 100, 1000] : [100, 1000]
  const distributions: Distribution[] = quick || wire !== 'text' ? ['uniform'] : ['uniform', 'zipf']
  const depths = quick ? [1, 16] : [1, 16, 64]
  return sizes.flatMap((valueBytes) =>
    kinds[wire]
      .filter(([operation, depth]) => wire !== 'tls' || isShort(operation, depth, valueBytes))
      .filter(([, depth]) => depths.includes(depth))
      .flatMap(([operation, depth]) =>
        distributions.map((distribution) => ({ operation, depth, valueBytes, distribution })),
      ),
  )
}

/**
 * Over TLS memcached 1.6.18 stops in the middle of what is sent at once when that is long (100 KB of sets were never
 * answered), so that little is sent.
 */
function isShort(operation: Operation, depth: number, valueBytes: number): boolean {
  return operation !== 'set' || depth * valueBytes <= MOST_OVER_TLS
}

const MOST_OVER_TLS = 10_000

export function caseName(one: Case): string {
  return `${one.operation} ×${one.depth}, ${one.valueBytes} B, ${one.distribution}`
}
