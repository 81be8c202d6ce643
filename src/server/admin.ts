/** The commands about the server itself. Rare, so written for the reader, not for speed. */
import { Command, NOT_A_NUMBER, parseI32, type Request, reply, type Text, ttlMs } from '../protocol/index.js'
import type { WorkerContext } from './context.js'
import { EventKind } from './events.js'
import { Cell, Metric } from './metrics.js'
import { mergePrefixes } from './prefixes.js'
import { oneLine } from './refusals.js'
import {
  generalStats,
  itemsStats,
  locksStats,
  settingsStats,
  sizesStats,
  slabsStats,
  statLines,
  stripesStats,
} from './stats.js'
import { Walk } from './walk.js'

/** What the connection has to do afterwards. */
export const Action = { None: 0, Close: 1, Walk: 2, Wait: 3, Watch: 4 } as const

export type AdminOutcome =
  | { action: typeof Action.None }
  | { action: typeof Action.Close }
  | { action: typeof Action.Walk; walk: Walk }
  | { action: typeof Action.Wait; answer: Promise<string> }
  | { action: typeof Action.Watch; kinds: number }

const DONE: AdminOutcome = { action: Action.None }
const CLOSE: AdminOutcome = { action: Action.Close }

const MAX_VERBOSITY = 2
const CRAWL_SLEEP_MAX = 1_000_000

const decoder = new TextDecoder('latin1')

export function runServerCommand(context: WorkerContext): AdminOutcome {
  const { out, executor } = context
  const { request } = executor
  const at = out.length
  let outcome: AdminOutcome
  try {
    outcome = dispatch(context, request, words(request))
  } catch (error) {
    executor.fail(error)
    outcome = DONE
  }
  if (request.noreply) out.length = at
  return outcome
}

function words({ tokens, source, noreply }: Request): string[] {
  const count = noreply ? tokens.count - 1 : tokens.count
  return Array.from({ length: count }, (_, i) => decoder.decode(source.u8.subarray(tokens.start[i], tokens.end[i])))
}

function dispatch(context: WorkerContext, request: Request, args: string[]): AdminOutcome {
  switch (request.command) {
    case Command.Version:
      return say(context, `VERSION ${context.settings.version}\r\n`)
    case Command.Quit:
      return CLOSE
    case Command.Shutdown:
      return shutdown(context, args)
    case Command.Stats:
      return stats(context, args)
    case Command.FlushAll:
      return flushAll(context, request, args)
    case Command.Verbosity:
      return verbosity(context, args)
    case Command.CacheMemlimit:
      return cacheMemlimit(context, args)
    case Command.Lru:
      return say(context, `${lru(args)}\r\n`)
    case Command.LruCrawler:
      return lruCrawler(context, args)
    case Command.Slabs:
      return slabs(context, args)
    case Command.RefreshCerts:
      return refreshCerts(context)
    default:
      return watch(context, args)
  }
}

function write(context: WorkerContext, text: Text): AdminOutcome {
  context.out.text(text)
  return DONE
}

function say(context: WorkerContext, text: string): AdminOutcome {
  context.out.string(text)
  return DONE
}

/** A whole number from 0 to 2^32 − 1, or `undefined`. */
function u32(word: string | undefined): number | undefined {
  if (word === undefined || !/^\d{1,10}$/.test(word)) return undefined
  const value = Number(word)
  return value < 2 ** 32 ? value : undefined
}

function shutdown(context: WorkerContext, args: string[]): AdminOutcome {
  if (!context.settings.allowShutdown) return write(context, reply.NO_SHUTDOWN)
  if (args.length > 2 || (args.length === 2 && args[1] !== 'graceful')) return write(context, reply.BAD_SHUTDOWN)
  context.main.send({ kind: 'stop' })
  return CLOSE
}

function stats(context: WorkerContext, args: string[]): AdminOutcome {
  const answer = statsText(context, args)
  return typeof answer === 'string' ? say(context, answer) : { action: Action.Wait, answer }
}

/** What `stats` with these words answers, in whole lines. */
export function statsText(context: WorkerContext, args: string[]): string | Promise<string> {
  const { table, metrics, settings } = context
  switch (args[1]) {
    case undefined:
      return statLines(generalStats(table, metrics, settings))
    case 'settings':
      return statLines(settingsStats(table, metrics, settings))
    case 'items':
      return statLines(itemsStats(table))
    case 'slabs':
      return statLines(slabsStats(table))
    case 'sizes':
      return statLines(sizesStats(table))
    case 'locks':
      return statLines(locksStats(table))
    case 'stripes':
      return statLines(stripesStats(table))
    case 'conns':
      return context.main.ask('conns').then((lines) => `${lines}END\r\n`)
    case 'reset':
      table.resetStats()
      metrics.reset()
      void context.main.ask('forget prefixes')
      return reply.RESET.toString()
    case 'detail':
      return statsDetail(context, args[2])
    default:
      return reply.ERROR.toString()
  }
}

function statsDetail(context: WorkerContext, what: string | undefined): string | Promise<string> {
  if (what === 'dump') return context.main.ask('prefixes').then(mergePrefixes)
  if (what === 'on' || what === 'off') {
    Atomics.store(context.metrics.cells, Cell.Detail, what === 'on' ? 1 : 0)
    return reply.OK.toString()
  }
  return 'CLIENT_ERROR usage: stats detail on|off|dump\r\n'
}

function flushAll(context: WorkerContext, { source, tokens }: Request, args: string[]): AdminOutcome {
  if (!context.settings.allowFlush) return write(context, reply.NO_FLUSH)
  let exptime = 0
  if (args.length > 1) {
    exptime = parseI32(source.u8, tokens.start[1], tokens.end[1])
    if (exptime === NOT_A_NUMBER) return write(context, reply.BAD_EXPTIME)
  }
  flush(context, exptime)
  return write(context, reply.OK)
}

/** `exptime` as sent: 0 and what is over already flush at once. */
export function flush({ metrics, table }: WorkerContext, exptime: number): void {
  metrics.add(Metric.CmdFlush, 1)
  table.flush(Math.max(0, ttlMs(exptime, Date.now())))
}

function verbosity(context: WorkerContext, args: string[]): AdminOutcome {
  const level = u32(args[1])
  if (level === undefined) return write(context, reply.BAD_FORMAT)
  setVerbosity(context, level)
  return write(context, reply.OK)
}

export function setVerbosity({ metrics }: WorkerContext, level: number): void {
  Atomics.store(metrics.cells, Cell.Verbosity, Math.min(level, MAX_VERBOSITY))
}

/** Passwords too, since they are read by the same way. */
function refreshCerts({ settings, main, out }: WorkerContext): AdminOutcome {
  if (settings.tls !== undefined) {
    return {
      action: Action.Wait,
      answer: main.refresh().then((error) => (error === '' ? 'OK\r\n' : `${oneLine(error)}\r\n`)),
    }
  }
  out.string('Error TLS not enabled\r\n')
  return DONE
}

/** The memory was taken at start, and a shared buffer neither grows nor shrinks. */
function cacheMemlimit(context: WorkerContext, args: string[]): AdminOutcome {
  const megabytes = u32(args[1])
  if (megabytes === undefined) return write(context, reply.ERROR)
  if (megabytes < 8) return say(context, 'MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\n')
  if (megabytes > 1_000_000_000) {
    return say(context, 'MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes\r\n')
  }
  if (megabytes * 1_048_576 === context.table.stats().limitMaxbytes) return write(context, reply.OK)
  return say(context, 'MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust\r\n')
}

/** Those of memcached's that tell of what is not here: raw commands, slabs and the crawler, the proxy. */
const NOT_WATCHED = ['rawcmds', 'sysevents', 'proxyreqs', 'proxyevents', 'proxyuser']

function watch(context: WorkerContext, args: string[]): AdminOutcome {
  if (!context.settings.allowWatch) return write(context, reply.NO_WATCH)
  let kinds = args.length === 1 ? EventKind.fetchers : 0
  for (const word of args.slice(1)) {
    if (NOT_WATCHED.includes(word)) return say(context, `CLIENT_ERROR watch ${word} is not supported\r\n`)
    if (!Object.hasOwn(EventKind, word)) return write(context, reply.ERROR)
    kinds |= EventKind[word as keyof typeof EventKind]
  }
  return { action: Action.Watch, kinds }
}

/** There are no LRU lists to tune. What memcached would take is taken, and changes nothing. */
function lru(args: string[]): string {
  switch (args[1]) {
    case 'mode':
      return args[2] === 'flat' || args[2] === 'segmented' ? 'OK' : 'ERROR'
    case 'temp_ttl':
      return args[2] !== undefined && /^-?\d{1,10}$/.test(args[2]) ? 'OK' : 'ERROR'
    case 'tune':
      return lruTune(args.slice(2))
    default:
      return 'ERROR'
  }
}

function lruTune(words: string[]): string {
  const [hot = 0, warm = 0, hotFactor = 0, warmFactor = 0] = words.map(Number)
  if (words.length < 4 || [hot, warm, hotFactor, warmFactor].some(Number.isNaN)) return 'ERROR'
  if (hot + warm > 80) return 'ERROR hot and warm pcts must not exceed 80'
  return hotFactor > 0 && warmFactor > 0 ? 'OK' : 'ERROR hot/warm age factors must be greater than 0'
}

function lruCrawler(context: WorkerContext, args: string[]): AdminOutcome {
  const [, what, which] = args
  if (args.length === 2) return write(context, what === 'enable' || what === 'disable' ? reply.OK : reply.ERROR)
  if (args.length !== 3 || which === undefined) return write(context, reply.ERROR)
  switch (what) {
    case 'metadump':
    case 'mgdump':
      return dump(context, what, which)
    case 'crawl':
      return crawlable(which) ? write(context, reply.OK) : say(context, 'BADCLASS invalid class id\r\n')
    case 'tocrawl':
      return write(context, u32(which) === undefined ? reply.BAD_FORMAT : reply.OK)
    case 'sleep':
      return crawlSleep(context, u32(which))
    default:
      return write(context, reply.ERROR)
  }
}

function crawlSleep(context: WorkerContext, micros: number | undefined): AdminOutcome {
  if (micros === undefined) return write(context, reply.BAD_FORMAT)
  if (micros <= CRAWL_SLEEP_MAX) return write(context, reply.OK)
  return say(context, 'CLIENT_ERROR sleep must be one second or less\r\n')
}

/** `all`, `hash`, or slab classes; there are no classes here, so any list of them means everything. */
function crawlable(which: string): boolean {
  return /^(all|hash|[1-9]\d?(,[1-9]\d?)*)$/.test(which)
}

function dump(context: WorkerContext, what: 'metadump' | 'mgdump', which: string): AdminOutcome {
  const { settings, table, out } = context
  if (!settings.allowDump) {
    return say(context, what === 'mgdump' ? 'ERROR key dump not allowed\r\n' : 'ERROR metadump not allowed\r\n')
  }
  const pinnedOnly = which === 'pinned'
  if (!pinnedOnly && !crawlable(which)) return say(context, 'BADCLASS invalid class id\r\n')
  return { action: Action.Walk, walk: new Walk(table, out, what === 'mgdump', pinnedOnly) }
}

function slabs(context: WorkerContext, args: string[]): AdminOutcome {
  if (args[1] === 'reassign' && args.length === 4) {
    const valid = [args[2], args[3]].every((word) => word !== undefined && /^-?\d{1,10}$/.test(word))
    if (!valid) return write(context, reply.BAD_FORMAT)
    if (Number(args[2]) === Number(args[3])) return say(context, 'SAME src and dst class are identical\r\n')
    return say(context, 'NOSPARE source class has no spare pages\r\n')
  }
  if (args[1] !== 'automove' || args.length < 3) return write(context, reply.ERROR)
  if (args[2] === 'ratio' || args[2] === 'freeratio') {
    return write(context, Number(args[3]) >= 0 ? reply.OK : reply.ERROR)
  }
  const level = u32(args[2] === 'window' ? args[3] : args[2])
  if (level === undefined) return write(context, reply.BAD_FORMAT)
  return write(context, args[2] === 'window' || level <= 2 ? reply.OK : reply.ERROR)
}
