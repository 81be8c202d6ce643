/** The commands about the server itself. Rare, so written for the reader, not for speed. */
import { Command, NOT_A_NUMBER, parseI32, type Request, reply, type Text, ttlMs } from '../protocol/index.js'
import type { WorkerContext } from './context.js'
import { EventKind } from './events.js'
import { listenerLines } from './listening.js'
import { keysListing, sizesListing } from './listings.js'
import { Cell, Metric } from './metrics.js'
import { mergePrefixes } from './prefixes.js'
import { oneLine } from './refusals.js'
import { generalStats, itemsStats, locksStats, settingsStats, slabsStats, statLines, stripesStats } from './stats.js'
import { BAD_CLASS, CLASS_MAX, classesIn, crawlerReply, lruReply, slabsReply, u32 } from './tuning.js'
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
      return say(context, `${lruReply(args)}\r\n`)
    case Command.LruCrawler:
      return lruCrawler(context, args)
    case Command.Slabs:
      return say(context, `${slabsReply(args)}\r\n`)
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
      return listed(sizesListing(table))
    case 'sizes_enable':
      return 'STAT sizes_status enabled\r\nEND\r\n'
    case 'sizes_disable':
      return 'STAT sizes_status error\r\nSTAT sizes_error sizes are looked up when asked for\r\nEND\r\n'
    case 'cachedump':
      return cacheDump(context, args)
    case 'locks':
      return statLines(locksStats(table))
    case 'stripes':
      return statLines(stripesStats(table))
    case 'conns':
      return context.main.ask('conns').then((lines) => `${listenerLines(settings)}${lines}END\r\n`)
    case 'reset':
      table.resetStats()
      metrics.reset()
      return context.main.ask('forget prefixes').then(() => reply.RESET.toString())
    case 'detail':
      return statsDetail(context, args[2])
    default:
      return reply.ERROR.toString()
  }
}

/** `stats cachedump <class> <limit>`: keys of a class, as many as fit in 2 MiB. */
function cacheDump({ settings, table }: WorkerContext, args: string[]): string | Promise<string> {
  if (!settings.allowDump) return 'CLIENT_ERROR stats cachedump not allowed\r\n'
  if (args.length < 4) return 'CLIENT_ERROR bad command line\r\n'
  const id = u32(args[2])
  const most = u32(args[3])
  if (id === undefined || most === undefined) return reply.BAD_FORMAT.toString()
  return id > CLASS_MAX ? 'CLIENT_ERROR Illegal slab id\r\n' : listed(keysListing(table, id, most))
}

/** A stripe that cannot be had is the server's error, and no end of it. */
function listed(listing: Promise<string>): Promise<string> {
  return listing.catch((error: Error) => `SERVER_ERROR ${oneLine(error.message)}\r\n`)
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
  const exptime = args.length > 1 ? parseI32(source.u8, tokens.start[1], tokens.end[1]) : 0
  if (context.settings.allowFlush && exptime !== NOT_A_NUMBER) {
    flush(context, exptime)
    return write(context, reply.OK)
  }
  // As memcached does: `cmd_flush` tells of orders, those that are refused among them.
  context.metrics.add(Metric.CmdFlush, 1)
  return write(context, context.settings.allowFlush ? reply.BAD_EXPTIME : reply.NO_FLUSH)
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
  return say(context, 'MEMLIMIT_ADJUST_FAILED the memory is taken at the start, as -m says, and cannot be adjusted\r\n')
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

function lruCrawler(context: WorkerContext, args: string[]): AdminOutcome {
  const [, what, which] = args
  if (args.length !== 3 || which === undefined) return say(context, `${crawlerReply(args)}\r\n`)
  if (what === 'metadump' || what === 'mgdump') return dump(context, what, which)
  if (what !== 'crawl') return say(context, `${crawlerReply(args)}\r\n`)
  if (!isEverything(which) && classesIn(which) === undefined) return say(context, `${BAD_CLASS}\r\n`)
  // What has expired is swept over all classes at once.
  context.table.sweep()
  return write(context, reply.OK)
}

function isEverything(which: string): boolean {
  return which === 'all' || which === 'hash'
}

function dump(context: WorkerContext, what: 'metadump' | 'mgdump', which: string): AdminOutcome {
  const { settings, table, out } = context
  if (!settings.allowDump) {
    return say(context, what === 'mgdump' ? 'ERROR key dump not allowed\r\n' : 'ERROR metadump not allowed\r\n')
  }
  const pinnedOnly = which === 'pinned'
  const classes = classesIn(which)
  if (!pinnedOnly && !isEverything(which) && classes === undefined) return say(context, `${BAD_CLASS}\r\n`)
  return { action: Action.Walk, walk: new Walk(table, out, what === 'mgdump', pinnedOnly, classes) }
}
