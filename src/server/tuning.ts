/**
 * Orders about memcached's LRU lists, slab classes and crawler, none of which are here. Wrong ones get its own replies; right
 * ones, which would change nothing, are refused in words that say why. Replies are without their line end.
 */

import { ascii, parseU32 } from '../protocol/index.js'

const ERROR = 'ERROR'
const BAD_FORMAT = 'CLIENT_ERROR bad command line format'
export const BAD_CLASS = 'BADCLASS invalid class id'
const NO_LISTS = 'there are no LRU lists'
const NO_SLABS = 'there are no slab classes'
/** As memcached's numbers of slab classes. */
export const CLASS_MAX = 63
const CRAWL_SLEEP_MAX = 1_000_000

function notSupported(what: string, why: string): string {
  return `CLIENT_ERROR ${what} is not supported: ${why}`
}

/** A whole number from 0 to 2^32 − 1, or `undefined`. */
export function u32(word: string | undefined): number | undefined {
  if (word === undefined) return undefined
  const value = parseU32(ascii(word), 0, word.length)
  return value < 0 ? undefined : value
}

function isInteger(word: string | undefined): boolean {
  return word !== undefined && /^-?\d{1,10}$/.test(word)
}

/** `1,2,3`: classes from 1 to 63, or `undefined`. */
export function classesIn(list: string): Set<number> | undefined {
  const classes = list.split(',').map((word) => (/^\d{1,2}$/.test(word) ? Number(word) : 0))
  return classes.every((id) => id >= 1 && id <= CLASS_MAX) ? new Set(classes) : undefined
}

/** `lru mode|temp_ttl|tune …` */
export function lruReply([, what, ...words]: string[]): string {
  if (what === 'mode' && (words[0] === 'flat' || words[0] === 'segmented')) return notSupported('lru mode', NO_LISTS)
  if (what === 'temp_ttl' && isInteger(words[0])) return notSupported('lru temp_ttl', NO_LISTS)
  return what === 'tune' && words.length >= 4 ? tuneReply(words) : ERROR
}

function tuneReply(words: string[]): string {
  const hot = u32(words[0])
  const warm = u32(words[1])
  const factors = [Number(words[2]), Number(words[3])]
  if (hot === undefined || warm === undefined || factors.some(Number.isNaN)) return ERROR
  if (hot + warm > 80) return 'ERROR hot and warm pcts must not exceed 80'
  if (factors.some((factor) => factor <= 0)) return 'ERROR hot/warm age factors must be greater than 0'
  return notSupported('lru tune', NO_LISTS)
}

/** `slabs reassign|automove …` */
export function slabsReply(args: string[]): string {
  if (args[1] === 'reassign' && args.length === 4) return reassignReply(args[2], args[3])
  if (args[1] !== 'automove' || args.length < 3) return ERROR
  const level = automoveLevel(args[2], args[3])
  if (level === undefined) return BAD_FORMAT
  return level <= 2 ? notSupported('slabs automove', NO_SLABS) : ERROR
}

function reassignReply(from: string | undefined, to: string | undefined): string {
  if (!isInteger(from) || !isInteger(to)) return BAD_FORMAT
  if (Number(from) === Number(to)) return 'SAME src and dst class are identical'
  if ([from, to].some((id) => Number(id) < 0 || Number(id) > CLASS_MAX)) return 'BADCLASS invalid src or dst class id'
  return notSupported('slabs reassign', NO_SLABS)
}

/** Of `automove <level>`; `ratio`, `freeratio` and `window` with a number are as good as a level, and without one as bad. */
function automoveLevel(word: string | undefined, value: string | undefined): number | undefined {
  if (word === 'ratio' || word === 'freeratio') return value === undefined || Number.isNaN(Number(value)) ? 3 : 0
  if (word === 'window') return u32(value) === undefined ? undefined : 0
  return u32(word)
}

/** `lru_crawler` with all but dumps and `crawl`. */
export function crawlerReply([, what, value, ...more]: string[]): string {
  if (more.length > 0) return ERROR
  const amount = u32(value)
  switch (what) {
    case 'enable':
      return value === undefined ? 'OK' : ERROR
    case 'disable':
      return value === undefined ? notSupported('lru_crawler disable', 'what expires is always swept') : ERROR
    case 'tocrawl':
    case 'sleep':
      if (value === undefined) return ERROR
      if (amount === undefined) return BAD_FORMAT
      if (what === 'sleep' && amount > CRAWL_SLEEP_MAX) return 'CLIENT_ERROR sleep must be one second or less'
      return notSupported(`lru_crawler ${what}`, 'the sweep has a pace of its own')
    default:
      return ERROR
  }
}
