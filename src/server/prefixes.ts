/** `stats detail`: what happens to keys by their prefix, the part before the first colon. Off until asked for. */
import { Command, type Request } from '../protocol/index.js'

const COLON = 58
/** Prefixes are the clients' choice: past this many, new ones are not counted. */
const MOST_PREFIXES = 10_000

interface Counts {
  get: number
  hit: number
  set: number
  del: number
}

const decoder = new TextDecoder('latin1')

export class PrefixCounts {
  readonly #counts = new Map<string, Counts>()

  note(request: Request, hit: boolean): void {
    const counts = this.#of(request)
    if (counts === undefined) return
    if (isRead(request.command)) {
      counts.get++
      if (hit) counts.hit++
    } else if (isStore(request.command)) {
      counts.set++
    } else if (request.command === Command.Delete || request.command === Command.MetaDelete) {
      counts.del++
    }
  }

  #of({ keySource, keyStart, keyLength }: Request): Counts | undefined {
    const end = keySource.u8.indexOf(COLON, keyStart)
    if (end < 0 || end >= keyStart + keyLength) return undefined
    const prefix = decoder.decode(keySource.u8.subarray(keyStart, end))
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
    ([prefix, { get, hit, set, del }]) => `PREFIX ${prefix} get ${get} hit ${hit} set ${set} del ${del}\r\n`,
  )
  return `${rows.join('')}END\r\n`
}

function isRead(command: Command): boolean {
  return command <= Command.Gats || command === Command.MetaGet
}

function isStore(command: Command): boolean {
  return (command >= Command.Set && command <= Command.Cas) || command === Command.MetaSet
}
