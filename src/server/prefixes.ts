/** `stats detail`: what happens to keys by their prefix, the part before the first delimiter. Off until asked for. */
import { printable } from './uri.js'

/** Prefixes are the clients' choice: past this many, new ones are not counted. */
const MOST_PREFIXES = 10_000

/** What is counted: see `PrefixCounts.note`. */
export const PrefixCount = { Get: 0, Set: 1, Delete: 2 } as const
export type PrefixCount = (typeof PrefixCount)[keyof typeof PrefixCount]

interface Counts {
  get: number
  hit: number
  set: number
  del: number
}

const decoder = new TextDecoder()

export class PrefixCounts {
  readonly #delimiter: number
  readonly #counts = new Map<string, Counts>()

  /** `delimiter` is one ASCII character. */
  constructor(delimiter: string) {
    this.#delimiter = delimiter.charCodeAt(0)
  }

  /** Counts what was done to the key that is the `length` bytes from `start` on; `hit` is of reads alone. */
  note(what: PrefixCount, hit: boolean, u8: Uint8Array, start: number, length: number): void {
    const counts = this.#of(u8, start, length)
    if (counts === undefined) return
    if (what === PrefixCount.Set) counts.set++
    else if (what === PrefixCount.Delete) counts.del++
    else {
      counts.get++
      if (hit) counts.hit++
    }
  }

  #of(u8: Uint8Array, start: number, length: number): Counts | undefined {
    const end = u8.indexOf(this.#delimiter, start)
    if (end < 0 || end >= start + length) return undefined
    const prefix = decoder.decode(u8.subarray(start, end))
    let counts = this.#counts.get(prefix)
    if (counts === undefined && this.#counts.size < MOST_PREFIXES) {
      counts = { get: 0, hit: 0, set: 0, del: 0 }
      this.#counts.set(prefix, counts)
    }
    return counts
  }

  clear(): void {
    this.#counts.clear()
  }

  /** One JSON object a line, for `mergePrefixes`. */
  toString(): string {
    let text = ''
    for (const entry of this.#counts) text += `${JSON.stringify(entry)}\n`
    return text
  }
}

/** The counts of all threads, as the client reads them. */
export function mergePrefixes(texts: string): string {
  const sums = new Map<string, Counts>()
  for (const line of texts.split('\n')) {
    if (line === '') continue
    const [prefix, { get, hit, set, del }] = JSON.parse(line) as [string, Counts]
    const sum = sums.get(prefix) ?? { get: 0, hit: 0, set: 0, del: 0 }
    sums.set(prefix, { get: sum.get + get, hit: sum.hit + hit, set: sum.set + set, del: sum.del + del })
  }
  const rows = [...sums].map(
    ([prefix, { get, hit, set, del }]) => `PREFIX ${printable(prefix)} get ${get} hit ${hit} set ${set} del ${del}\r\n`,
  )
  return `${rows.join('')}END\r\n`
}
