/** What a server can be told, and what it is told when nobody says. */
import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { MemoryFileProgress } from './restart/memory-file.js'
import { settleTls, type TlsOptions, type TlsSettings } from './tls/options.js'
import { checkSocketPath } from './unix-socket.js'

export type Protocol = 'auto' | 'ascii' | 'binary'

export interface ServeOptions {
  /** TCP port, 0 for any free one. Default 11211. */
  port?: number
  /** Address to listen on. Default 127.0.0.1. */
  host?: string
  /** Listen on this Unix socket instead of TCP. A socket that nobody listens on is replaced, any other file stays. */
  socketPath?: string
  /** Permissions of the Unix socket, whatever the umask. Default 0o700. */
  socketMode?: number
  /** What clients may speak: what their first byte says they do (default), or one of both alone. */
  protocol?: Protocol
  /** Worker threads that serve connections. Default 4, or the number of processors if that is less. */
  threads?: number
  /** For items: bytes, or text such as `64mb`. Default 64 MiB. */
  memory?: number | string
  /** Largest item, in bytes. Default 1 MiB. */
  itemMax?: number
  /** Connections of all threads together. Default 1024. */
  maxConnections?: number
  /** Connections that wait to be accepted. Default 1024. */
  backlog?: number
  /** Requests a connection may have answered before others get a turn. Default 1024. */
  requestsPerTurn?: number
  /** Seconds after which a silent connection is closed; 0 never, the default. */
  idleTimeoutSeconds?: number
  /** Throw out old items when memory is full (default), or refuse new ones. */
  evict?: boolean
  /** Keys that are never thrown out begin like this. Default: the store's own. */
  pinnedPrefixes?: string[]
  /**
   * A directory, of this server alone and on a local disk, for what locks need to know after a restart: one small file.
   * After a crash no pinned key is created for as long as one of before may be held. Default: none is kept.
   */
  stateDir?: string
  /**
   * A file, of this server alone, for what is in the table: a clean stop writes it, and the next start has everything back. It is
   * removed before the first connection is served. Its directory must exist and be writable. Default: none is kept.
   */
  memoryFile?: string
  /** Is told how far that file is read or written, several times a second. */
  onMemoryFile?: (progress: MemoryFileProgress) => void
  /** With `stateDir`, the longest life of a pinned key that has an end, in ms. Default ten minutes. */
  maxLeaseMs?: number
  /**
   * A file of `user:password` lines, as memcached's `-Y` reads it. Nothing is answered before a client has named one of them.
   * Default: nobody has to authenticate.
   */
  authFile?: string
  /** Speak TLS, and nothing else. Default: no TLS. */
  tls?: TlsOptions
  /** Let clients stop the server with `shutdown`. Default no. */
  allowShutdown?: boolean
  /** Let clients empty it with `flush_all`. Default yes. */
  allowFlush?: boolean
  /** Let clients list keys with `lru_crawler metadump`. Default yes. */
  allowDump?: boolean
  /** Let clients `watch` what happens. Default yes. */
  allowWatch?: boolean
  /** Count keys for `stats detail` from the start, by what is before this character. Default: not until asked, and `:`. */
  prefixDelimiter?: string
  /** 0 to 2; 1 tells of connections refused, 2 of each connection; a thread that dies is always told of. Default 0. */
  verbosity?: number
  /** Where it tells. Default: standard error. */
  log?: (message: string) => void
}

/** The part of the options that worker threads need, all of it plain data. */
export interface Settings {
  readonly version: string
  /** On the clock of `upSeconds`. */
  readonly startedAtMs: number
  readonly host: string
  readonly port: number
  readonly socketPath: string | undefined
  readonly socketMode: number
  readonly protocol: Protocol
  readonly threads: number
  readonly memory: number | string
  readonly itemMax: number
  readonly maxConnections: number
  readonly backlog: number
  readonly requestsPerTurn: number
  readonly idleTimeoutSeconds: number
  readonly evict: boolean
  readonly authFile: string | undefined
  readonly tls: TlsSettings | undefined
  readonly allowShutdown: boolean
  readonly allowFlush: boolean
  readonly allowDump: boolean
  readonly allowWatch: boolean
  readonly prefixDelimiter: string
  readonly stateDir: string | undefined
  readonly memoryFile: string | undefined
  readonly maxLeaseMs: number
  /** Of this start: 32 hex digits that no other has. */
  readonly incarnation: string
}

export function settle(options: ServeOptions, version: string): Settings {
  const threads = options.threads ?? Math.min(4, availableParallelism())
  whole('threads', threads, 1, 256)
  whole('port', options.port ?? 0, 0, 65535)
  whole('maxConnections', options.maxConnections ?? 1024, 1, 1_000_000)
  whole('itemMax', options.itemMax ?? 1024, 1024, 1_073_741_824)
  whole('maxLeaseMs', options.maxLeaseMs ?? 1, 1, 2_592_000_000)
  if (options.socketPath !== undefined) checkSocketPath(options.socketPath)
  if (options.socketPath !== undefined && options.tls !== undefined) {
    throw new RangeError('TLS is for TCP: what goes over a Unix socket does not leave the machine')
  }
  if (!/^[!-~]$/.test(options.prefixDelimiter ?? ':'))
    throw new RangeError(`prefixDelimiter is ${options.prefixDelimiter}, and must be one printable ASCII character`)
  whole('requestsPerTurn', options.requestsPerTurn ?? 1, 1, 1_000_000)
  return {
    version,
    startedAtMs: monotonicMs(),
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 11211,
    socketPath: options.socketPath,
    socketMode: options.socketMode ?? 0o700,
    protocol: options.protocol ?? 'auto',
    threads,
    memory: options.memory ?? 67_108_864,
    itemMax: options.itemMax ?? 1_048_576,
    maxConnections: options.maxConnections ?? 1024,
    backlog: options.backlog ?? 1024,
    requestsPerTurn: options.requestsPerTurn ?? 1024,
    idleTimeoutSeconds: options.idleTimeoutSeconds ?? 0,
    evict: options.evict ?? true,
    authFile: options.authFile,
    tls: options.tls && settleTls(options.tls),
    allowShutdown: options.allowShutdown ?? false,
    allowFlush: options.allowFlush ?? true,
    allowDump: options.allowDump ?? true,
    allowWatch: options.allowWatch ?? true,
    prefixDelimiter: options.prefixDelimiter ?? ':',
    stateDir: options.stateDir,
    memoryFile: options.memoryFile,
    maxLeaseMs: options.maxLeaseMs ?? 600_000,
    incarnation: randomBytes(16).toString('hex'),
  }
}

function whole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new RangeError(`${name} is ${value}, and must be a whole number from ${least} to ${most}`)
}

/**
 * Whole seconds since the server started. Not by the wall clock: clients that hold locks give a server that has just
 * restarted no vote, and a clock that is set forward must not make it look old.
 */
export function upSeconds({ startedAtMs }: Settings): number {
  return Math.floor((monotonicMs() - startedAtMs) / 1000)
}

/** The same in all threads. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}
