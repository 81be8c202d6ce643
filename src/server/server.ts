/**
 * The threads of a server.
 *
 *      main thread                          worker threads (1 … N)
 *   ┌───────────────────────┐    sockets   ┌──────────────────────────────┐
 *   │ makes the table       │ ───────────► │ event loop                   │
 *   │ accepts (see listener)│    or fd     │  transport → connection      │
 *   │ sweeps what expired   │              │  parse → execute → reply     │
 *   │ mourns dead workers   │ ◄─────────── │                              │
 *   └──────────┬────────────┘   questions  └──────────────┬───────────────┘
 *              └───────────── the table, in shared memory ┘
 */
import { readFileSync } from 'node:fs'
import type { StoreOptions, Table } from '../store/index.js'
import { readSecrets } from './auth/secrets.js'
import { type Listener, openListener } from './listener.js'
import { Cell, Metrics } from './metrics.js'
import { type ServeOptions, type Settings, settle, upSeconds } from './options.js'
import { MemoryFile } from './restart/memory-file.js'
import { openTable } from './restart/open-table.js'
import { LeaseWatch } from './state/lease-watch.js'
import { LockState } from './state/lock-state.js'
import { Team } from './team.js'

/** How long a client may take to fetch its last replies when the server stops, in milliseconds. */
const DRAIN_MS = 5000
/** Holders let the server keep a lease a little longer than they believe in it: that must not make the longest one too long. */
const ROUNDING_MS = 10

/** The protocol version we speak, and our own behind it. */
export function versionText(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return `1.6.45-latchkey.${version}`
}

/** A running server. `await using` closes it. */
export class Server implements AsyncDisposable {
  readonly settings: Settings
  /** The TCP port in fact, also when 0 was asked for; 0 on a Unix socket. */
  readonly port: number
  readonly host: string
  /** How connections reach the workers: `turns`, `reusePort` or `shared`. */
  readonly listenerKind: Listener['kind']
  /** Settles as `close` does when the server has stopped, whoever stopped it. */
  readonly closed: Promise<void>
  readonly #table: Table
  readonly #team: Team
  readonly #listener: Listener
  readonly #metrics: Metrics
  readonly #leases: LeaseWatch | undefined
  readonly #memoryFile: MemoryFile | undefined
  #closing: Promise<void> | undefined
  #settleClosed: (closing: Promise<void>) => void = () => undefined

  constructor(
    settings: Settings,
    table: Table,
    metrics: Metrics,
    team: Team,
    listener: Listener,
    leases: LeaseWatch | undefined,
    memoryFile: MemoryFile | undefined,
  ) {
    this.settings = settings
    this.port = listener.port
    this.host = settings.host
    this.listenerKind = listener.kind
    this.#table = table
    this.#metrics = metrics
    this.#team = team
    this.#listener = listener
    this.#leases = leases
    this.#memoryFile = memoryFile
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve
    })
    // Who does not wait for it has heard of a failure by the log.
    this.closed.catch(() => undefined)
  }

  /** Bytes that the table may take for items. */
  get memoryBytes(): number {
    return this.#table.stats().limitMaxbytes
  }

  /** Ends one worker at once, as a fault would; another takes its place. For tests. */
  async killWorker(index: number): Promise<void> {
    await this.#team.kill(index)
  }

  /**
   * Reads certificates and the password file again, for those who connect from now on. Rejects with `TLS_FILE` or
   * `PASSWORD_FILE` (`error.code`) when they cannot be used; then those of before stay.
   */
  async reload(): Promise<void> {
    await this.#team.share(readSecrets(this.settings))
    Atomics.store(this.#metrics.cells, Cell.SecretsReadAt, upSeconds(this.settings))
  }

  /**
   * Takes no more connections, answers what has been read, closes, frees the threads, and writes the memory file. Idempotent.
   * Rejects when that file cannot be written; all else is done even so.
   */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = this.#close()
      this.#settleClosed(this.#closing)
    }
    return this.#closing
  }

  async #close(): Promise<void> {
    Atomics.store(this.#metrics.cells, Cell.Accepting, 0)
    this.#listener.close()
    await this.#team.drain(DRAIN_MS)
    const lockState = this.#leases?.stop()
    try {
      await this.#memoryFile?.save(this.#table, lockState)
    } finally {
      this.#table.close()
      this.#memoryFile?.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/**
 * Starts a memcached server in this process: a table in shared memory, and threads that serve it.
 * Rejects with `EADDRINUSE`, `EACCES` and the like (`error.code`) when it cannot listen, with `PASSWORD_FILE` or
 * `TLS_FILE` when `authFile` or the files of `tls` cannot be used, with `LOCK_STATE` when `stateDir` cannot, with
 * `MEMORY_FILE` when `memoryFile` cannot, and with `RangeError` for options out of bounds.
 */
export async function serve(options: ServeOptions = {}): Promise<Server> {
  const settings = settle(options, versionText())
  const secrets = readSecrets(settings)
  const metrics = Metrics.create(settings.threads)
  const log = options.log ?? ((message) => process.stderr.write(`${message}\n`))
  // What was taken, to be given back in turn when a later step fails.
  const undo: (() => unknown)[] = []
  try {
    const { stateDir, maxLeaseMs } = settings
    const state = stateDir === undefined ? undefined : await LockState.open(stateDir, maxLeaseMs + ROUNDING_MS, log)
    if (state !== undefined) undo.push(() => state.close())
    const memoryFile = await openMemoryFile(options, log)
    undo.push(() => memoryFile?.close())
    const table = await openTable(storeOptions(settings, options), memoryFile, state, log)
    undo.push(() => table.close())
    const listener = await openListener(settings, metrics, log)
    undo.push(() => listener.close())
    const bound = { ...settings, port: listener.port || settings.port }
    const leases = state && new LeaseWatch(state, table, log)
    undo.push(() => leases?.abandon())
    leases?.start()
    Atomics.store(metrics.cells, Cell.Verbosity, options.verbosity ?? 0)
    Atomics.store(metrics.cells, Cell.Detail, options.prefixDelimiter === undefined ? 0 : 1)
    const team = new Team(bound, table, metrics, listener, secrets, state?.place, log)
    undo.push(() => team.drain(0))
    await team.start(() => memoryFile?.remove())
    table.startSweeper()
    Atomics.store(metrics.cells, Cell.Accepting, 1)
    const server = new Server(bound, table, metrics, team, listener, leases, memoryFile)
    team.onStop = () => void server.close().catch(() => undefined)
    team.onRefresh = () => server.reload().then(noError, messageOf)
    return server
  } catch (error) {
    for (const step of undo.reverse()) await step()
    throw error
  }
}

const noError = () => ''
const messageOf = (error: Error) => error.message

function storeOptions(settings: Settings, { pinnedPrefixes }: ServeOptions): StoreOptions {
  const { memory, itemMax, evict, threads } = settings
  return { memory, itemMax, evict, threads, ...(pinnedPrefixes && { pinnedPrefixes }) }
}

async function openMemoryFile(options: ServeOptions, log: (message: string) => void): Promise<MemoryFile | undefined> {
  const { memoryFile, onMemoryFile: onProgress = () => undefined } = options
  return memoryFile === undefined ? undefined : MemoryFile.open(memoryFile, { log, onProgress })
}
