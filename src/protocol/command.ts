/** The commands, by number, and how a command word is told without making a string. */
import { ascii, spells } from './bytes.js'

export const Command = {
  Unknown: 0,
  Get: 1,
  Gets: 2,
  Gat: 3,
  Gats: 4,
  Set: 5,
  Add: 6,
  Replace: 7,
  Append: 8,
  Prepend: 9,
  Cas: 10,
  Incr: 11,
  Decr: 12,
  Delete: 13,
  Touch: 14,
  MetaGet: 15,
  MetaSet: 16,
  MetaDelete: 17,
  MetaArithmetic: 18,
  MetaNoop: 19,
  MetaDebug: 20,
  FlushAll: 21,
  Stats: 22,
  Version: 23,
  Verbosity: 24,
  Quit: 25,
  CacheMemlimit: 26,
  Lru: 27,
  LruCrawler: 28,
  Slabs: 29,
  Watch: 30,
  Shutdown: 31,
  RefreshCerts: 32,
} as const
export type Command = (typeof Command)[keyof typeof Command]

const WORDS: [string, Command][] = [
  ['mg', Command.MetaGet],
  ['ms', Command.MetaSet],
  ['md', Command.MetaDelete],
  ['ma', Command.MetaArithmetic],
  ['mn', Command.MetaNoop],
  ['me', Command.MetaDebug],
  ['set', Command.Set],
  ['get', Command.Get],
  ['add', Command.Add],
  ['cas', Command.Cas],
  ['gat', Command.Gat],
  ['lru', Command.Lru],
  ['gets', Command.Gets],
  ['incr', Command.Incr],
  ['decr', Command.Decr],
  ['gats', Command.Gats],
  ['quit', Command.Quit],
  ['touch', Command.Touch],
  ['stats', Command.Stats],
  ['slabs', Command.Slabs],
  ['watch', Command.Watch],
  ['delete', Command.Delete],
  ['append', Command.Append],
  ['replace', Command.Replace],
  ['prepend', Command.Prepend],
  ['version', Command.Version],
  ['shutdown', Command.Shutdown],
  ['flush_all', Command.FlushAll],
  ['verbosity', Command.Verbosity],
  ['refresh_certs', Command.RefreshCerts],
  ['lru_crawler', Command.LruCrawler],
  ['cache_memlimit', Command.CacheMemlimit],
]

interface Word {
  readonly bytes: Uint8Array
  readonly command: Command
}

const LONGEST = Math.max(...WORDS.map(([word]) => word.length))
const BY_LENGTH: Word[][] = Array.from({ length: LONGEST + 1 }, () => [])
for (const [word, command] of WORDS) BY_LENGTH[word.length].push({ bytes: ascii(word), command })

/** At most six candidates share a length, and most differ in their first byte: faster than hashing. */
export function identify(u8: Uint8Array, start: number, length: number): Command {
  if (length > LONGEST) return Command.Unknown
  const candidates = BY_LENGTH[length]
  for (let i = 0; i < candidates.length; i++) {
    if (spells(u8, start, length, candidates[i].bytes)) return candidates[i].command
  }
  return Command.Unknown
}
