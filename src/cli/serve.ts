/** `latchkey serve`: memcached's own command line. What is not supported says so and why, and ends with 2. */
import { rmSync, writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type ServeOptions, type Server, serve, versionText } from '../server/index.js'
import { StoreArgumentError } from '../store/index.js'
import { memoryFileProgress, whyNotWritable } from './memory-file.js'
import { access } from './serve/access.js'
import { type Extended, NONE, parseExtended, tlsOptions } from './serve/extended.js'
import { addUnsupported } from './serve/unsupported.js'
import { itemSize, octal, whole } from './sizes.js'
import { becomeUser } from './user.js'

interface Flags {
  port: number
  protocol: 'auto' | 'ascii' | 'binary'
  listen?: string
  unixSocket?: string
  unixMask: number
  memoryLimit: number
  connLimit: number
  threads: number
  maxItemSize: number
  disableEvictions?: boolean
  listenBacklog: number
  maxReqsPerEvent?: number
  enableShutdown?: boolean
  disableFlushAll?: boolean
  disableDumping?: boolean
  disableWatch?: boolean
  delimiter?: string
  verbose: number
  pidfile?: string
  user?: string
  authFile?: string
  stateDir?: string
  memoryFile?: string
  maxLease: number
  pinnedPrefix: string[]
  enableSasl?: boolean
  enableSsl?: boolean
  extended: Extended
}

/** Shown as one word each in `stats settings`, and compared with keys: neither has spaces. */
function prefixes(text: string, before: string[]): string[] {
  if (/^[!-~\u0080-\uffff]{1,250}$/.test(text)) return [...before, text]
  throw new InvalidArgumentError('Expected 1 to 250 characters without spaces.')
}

function listenAddress(text: string): string {
  if (!text.startsWith('notls:')) return text
  throw new InvalidArgumentError('notls is not supported: with -Z all of a server is TLS.')
}

function oneCharacter(text: string): string {
  if (/^[!-~]$/.test(text)) return text
  throw new InvalidArgumentError('Expected one printable ASCII character.')
}

function udpPort(text: string): number {
  if (text === '0') return 0
  throw new InvalidArgumentError('UDP is refused by design: it makes a cache an amplifier for attacks on others.')
}

export function serveCommand(): Command {
  const command = new Command('serve')
    .description('run a memcached server')
    .helpOption('-h, --help', 'show this')
    .option('-p, --port <port>', 'TCP port, 0 for any free one', whole(0, 65535), 11211)
    .option('-U, --udp-port <port>', 'only 0: there is no UDP', udpPort)
    .option('-s, --unix-socket <path>', 'listen on a Unix socket instead of TCP')
    .option('-a, --unix-mask <mode>', 'permissions of the Unix socket, octal', octal, 0o700)
    .option('-l, --listen <address>', 'address to listen on (default: 127.0.0.1)', listenAddress)
    .option('-m, --memory-limit <mib>', 'memory for items, in MiB', whole(1, 1_048_576), 64)
    .option('-M, --disable-evictions', 'refuse new items when memory is full, rather than lose old ones')
    .option('-c, --conn-limit <count>', 'connections at a time', whole(1, 1_000_000), 1024)
    .option('-t, --threads <count>', 'threads that serve connections', whole(1, 256), 4)
    .option('-I, --max-item-size <size>', 'largest item, 1k to 1024m', itemSize, 1_048_576)
    .option('-b, --listen-backlog <count>', 'connections waiting to be accepted', whole(1, 65535), 1024)
    .option('-R, --max-reqs-per-event <count>', 'requests a connection gets before others', whole(1, 1_000_000))
    .option('-A, --enable-shutdown', 'let clients stop the server with "shutdown"')
    .option('-F, --disable-flush-all', 'refuse flush_all')
    .option('-X, --disable-dumping', 'refuse lru_crawler metadump')
    .option('-W, --disable-watch', 'refuse watch')
    .option('-S, --enable-sasl', 'binary protocol alone, with SASL: the file is -Y, or MEMCACHED_SASL_PWDB')
    .option('-Y, --auth-file <file>', 'answer only who names a user of this file: user:password lines')
    .option('-D, --delimiter <char>', 'count keys by what is before it, for "stats detail"', oneCharacter)
    .addOption(
      new Option('-B, --protocol <name>', 'what to speak').choices(['auto', 'ascii', 'binary']).default('auto'),
    )
    .option('-P, --pidfile <file>', 'write the process id there')
    .option('-u, --user <name>', 'after listening as root, go on as this user')
    .option('--state-dir <dir>', 'keep there what locks need to know after a restart; of one server, local')
    .option('-e, --memory-file <file>', 'a clean stop leaves all items there, and the next start has them back')
    .option('--max-lease <seconds>', 'with --state-dir: longest lease of a lock', whole(1, 2_592_000), 600)
    .option('--pinned-prefix <prefix>', 'never evict keys that begin so, as latchkey:lock:; repeatable', prefixes, [])
    .option('-Z, --enable-ssl', 'speak TLS only, with -o ssl_chain_cert=FILE,ssl_key=FILE')
    .option('-o, --extended <options>', 'idle_timeout=SECONDS, ssl_…; with commas between', parseExtended, NONE)
    .addOption(new Option('-v, --verbose', 'tell more; -vv tells all').argParser((_, n: number) => n + 1).default(0))
    .version(versionText(), '-V, --version')
    .allowExcessArguments(false)
    .action(run)
  addUnsupported(command)
  return command
}

async function run(flags: Flags): Promise<void> {
  checkMemoryFile(flags)
  let server: Server
  try {
    server = await serve(options(flags))
  } catch (error) {
    fail(error as NodeJS.ErrnoException, flags)
  }
  // Before anybody hears that it listens: who does may stop it at once.
  stopBySignal(server, flags)
  if (server.settings.authFile !== undefined || flags.enableSsl) process.on('SIGHUP', () => void reload(server))
  if (flags.user !== undefined) becomeUser(flags.user, flags.unixSocket)
  if (flags.pidfile !== undefined) writeFileSync(flags.pidfile, `${process.pid}\n`)
  announce(server)
  const code = await server.closed.then(
    () => 0,
    () => 1,
  )
  if (flags.pidfile !== undefined) rmSync(flags.pidfile, { force: true })
  // Descriptors handed to workers may keep the event loop alive; everything is closed by now.
  process.exit(code)
}

function checkMemoryFile({ memoryFile, user }: Flags): void {
  const why = memoryFile === undefined || user === undefined ? undefined : whyNotWritable(memoryFile, user)
  if (why === undefined) return
  process.stderr.write(`latchkey: user ${user} cannot write the memory file: ${why}\n`)
  process.exit(1)
}

function stopBySignal(server: Server, flags: Flags): void {
  const signals: NodeJS.Signals[] = ['SIGTERM', 'SIGINT']
  // How memcached is told to leave its memory file; without one Node's own meaning stays.
  if (flags.memoryFile !== undefined) signals.push('SIGUSR1')
  const stop = () => {
    // A second one does what the system does by itself: it ends the process at once.
    for (const signal of signals) process.off(signal, stop)
    server.close().catch(() => undefined)
  }
  for (const signal of signals) process.on(signal, stop)
}

function options(flags: Flags): ServeOptions {
  const tls = tlsOptions(flags.enableSsl === true, flags.extended.tls)
  return {
    port: flags.port,
    ...access(flags, process.env.MEMCACHED_SASL_PWDB),
    threads: flags.threads,
    memory: flags.memoryLimit * 1_048_576,
    itemMax: flags.maxItemSize,
    maxConnections: flags.connLimit,
    backlog: flags.listenBacklog,
    evict: flags.disableEvictions !== true,
    allowShutdown: flags.enableShutdown === true,
    allowFlush: flags.disableFlushAll !== true,
    allowDump: flags.disableDumping !== true,
    allowWatch: flags.disableWatch !== true,
    ...(flags.delimiter !== undefined && { prefixDelimiter: flags.delimiter }),
    verbosity: Math.min(flags.verbose, 2),
    maxLeaseMs: flags.maxLease * 1000,
    pinnedPrefixes: ['latchkey:lock:', ...flags.pinnedPrefix],
    socketMode: flags.unixMask,
    idleTimeoutSeconds: flags.extended.idleTimeoutSeconds,
    ...(flags.listen !== undefined && { host: flags.listen }),
    ...(tls !== undefined && { tls }),
    ...(flags.stateDir !== undefined && { stateDir: flags.stateDir }),
    ...(flags.memoryFile !== undefined && {
      memoryFile: flags.memoryFile,
      onMemoryFile: memoryFileProgress(process.stderr),
    }),
    ...(flags.unixSocket !== undefined && { socketPath: flags.unixSocket }),
    ...(flags.maxReqsPerEvent !== undefined && { requestsPerTurn: flags.maxReqsPerEvent }),
  }
}

/** What cannot be used leaves everything as it was. */
async function reload(server: Server): Promise<void> {
  const said = await server.reload().then(
    () => 'certificates and passwords were read again',
    (error: Error) => `certificates and passwords stay as they were: ${error.message}`,
  )
  process.stderr.write(`latchkey: ${said}\n`)
}

const USAGE_ERROR = 2

/** 2 for options that make no sense together, 1 for what the machine refuses. */
function fail(error: NodeJS.ErrnoException, flags: Flags): never {
  const where = flags.unixSocket ?? `${flags.listen ?? '127.0.0.1'}:${flags.port}`
  const reasons: Record<string, string> = {
    EADDRINUSE: `${where} is in use by another program`,
    EACCES: `not allowed to listen on ${where}`,
    EADDRNOTAVAIL: `${where} is not an address of this machine`,
  }
  process.stderr.write(`latchkey: ${reasons[error.code ?? ''] ?? error.message}\n`)
  const isUsage = error instanceof RangeError || error instanceof StoreArgumentError
  process.exit(isUsage ? USAGE_ERROR : 1)
}

function announce(server: Server): void {
  const { settings, host, port } = server
  const mib = Math.round(server.memoryBytes / 1_048_576)
  const where = settings.socketPath ?? `${host}:${port}`
  const nc = settings.socketPath === undefined ? `nc ${host} ${port}` : `nc -U ${settings.socketPath}`
  process.stdout.write(`latchkey is listening on ${where} with ${settings.threads} threads and ${mib} MiB\n`)
  if (settings.tls !== undefined || settings.authFile !== undefined) return
  process.stdout.write(`try: printf 'set greeting 0 0 5\\r\\nhello\\r\\nget greeting\\r\\nquit\\r\\n' | ${nc}\n`)
}
