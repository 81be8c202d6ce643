/** What the client benchmark measures: every combination of operation, calls at once, and value size. */

export type Operation = 'get' | 'set' | 'getMany'

export interface Cell {
  operation: Operation
  /** Loops in one process, each of which awaits every call. */
  concurrency: number
  valueBytes: number
}

/** Of every contender, under a prefix of its own: each reads what it has written itself, flags included. */
export const keyCount = 1000
/** Keys of one getMany. */
export const manyKeys = 100

export function cellsToRun(quick: boolean): Cell[] {
  if (quick) {
    const small = [...across('get', [1, 64], 100), ...across('set', [1, 64], 100), ...across('getMany', [64], 100)]
    return [...small, ...across('get', [64], 10_000)]
  }
  return [100, 10_000].flatMap((valueBytes) => [
    ...across('get', [1, 16, 64, 256], valueBytes),
    ...across('set', [1, 16, 64, 256], valueBytes),
    // 64 calls of 100 keys are 6,400 keys in flight; 256 would only measure a longer queue.
    ...across('getMany', [1, 16, 64], valueBytes),
  ])
}

function across(operation: Operation, concurrencies: readonly number[], valueBytes: number): Cell[] {
  return concurrencies.map((concurrency) => ({ operation, concurrency, valueBytes }))
}

export function cellName({ operation, concurrency, valueBytes }: Cell): string {
  return `${operation} ×${concurrency}, ${valueBytes} B`
}
