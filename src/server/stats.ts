/** What `stats` and its kinds answer. The names are an interface: monitoring reads them. */
import { COMMAND_NAMES, type Table } from '../store/index.js'
import { BUNDLE_BYTES } from './events.js'
import { Cell, Metric, type Metrics } from './metrics.js'
import { type Settings, upSeconds } from './options.js'
import { WATCHER_BYTES } from './watchers.js'

export type StatRow = readonly [name: string, value: string | number | bigint]

/** What cannot happen here, and so has not: no monitoring is to miss it. What else memcached has and we have not is left out. */
const NEVER = [
  // A flush drops the items itself, so that no get ever finds one.
  'get_flushed',
  // Who is too many is refused; the listener goes on.
  'listen_disabled_num',
  'time_in_listen_disabled_us',
  // The index grows a page at a time.
  'hash_is_expanding',
]

/** A cache line. */
const BUCKET_BYTES = 64

export function statLines(rows: Iterable<StatRow>): string {
  let text = ''
  for (const [name, value] of rows) text += `STAT ${name} ${value}\r\n`
  return `${text}END\r\n`
}

/** `currItems` is `curr_items` on the wire. */
function wireName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function tableRows(table: Table): StatRow[] {
  return Object.entries(table.stats()).map(([name, value]) => [wireName(name), value])
}

export function generalStats(table: Table, metrics: Metrics, settings: Settings): StatRow[] {
  const rows = new Map<string, StatRow[1]>()
  for (const [name, value] of processRows(metrics, settings)) rows.set(name, value)
  for (const [name, value] of tableRows(table)) rows.set(name, value)
  const { indexBytes } = table.stats()
  rows.set('hash_power_level', Math.floor(Math.log2(Math.max(1, indexBytes / BUCKET_BYTES))))
  rows.set('hash_bytes', indexBytes)
  for (const [name, value] of lockRows(table, settings)) rows.set(name, value)
  for (const [name, value] of trafficRows(metrics, settings)) rows.set(name, value)
  for (const name of NEVER) rows.set(name, 0)
  return [...rows]
}

function processRows(metrics: Metrics, settings: Settings): StatRow[] {
  const { user, system } = process.cpuUsage()
  const connections = metrics.sum(Metric.CurrConnections)
  return [
    ['pid', process.pid],
    ['uptime', upSeconds(settings)],
    ['time', Math.floor(Date.now() / 1000)],
    ['version', settings.version],
    ['incarnation', settings.incarnation],
    ['libevent', `node-${process.versions.node}`],
    ['pointer_size', 64],
    ['rusage_user', (user / 1e6).toFixed(6)],
    ['rusage_system', (system / 1e6).toFixed(6)],
    ['max_connections', settings.maxConnections],
    ['curr_connections', connections],
    ['total_connections', metrics.sum(Metric.TotalConnections)],
    ['rejected_connections', metrics.sum(Metric.RejectedConnections)],
    ['connection_structures', connections],
  ]
}

/** What tells a client how much a restart of this server can make it forget. */
function lockRows(table: Table, { stateDir }: Settings): StatRow[] {
  return [
    ['lock_state', stateDir === undefined ? 'none' : 'kept'],
    ['lock_grace_ms', Math.ceil(table.graceMs)],
  ]
}

function trafficRows(metrics: Metrics, settings: Settings): StatRow[] {
  return [
    ['cmd_meta', metrics.sum(Metric.CmdMeta)],
    ['cmd_flush', metrics.sum(Metric.CmdFlush)],
    ['idle_kicks', metrics.sum(Metric.IdleKicks)],
    ['bytes_read', metrics.sum(Metric.BytesRead)],
    ['bytes_written', metrics.sum(Metric.BytesWritten)],
    ['accepting_conns', Atomics.load(metrics.cells, Cell.Accepting)],
    ['auth_cmds', metrics.sum(Metric.AuthCmds)],
    ['auth_errors', metrics.sum(Metric.AuthErrors)],
    ...tlsRows(metrics, settings),
    ['threads', settings.threads],
    ['conn_yields', metrics.sum(Metric.ConnYields)],
    ['internal_errors', metrics.sum(Metric.InternalErrors)],
    ['log_worker_dropped', metrics.sum(Metric.LogWorkerDropped)],
    ['log_worker_written', metrics.sum(Metric.LogWorkerWritten)],
    ['log_watcher_skipped', metrics.sum(Metric.LogWatcherSkipped)],
    ['log_watcher_sent', metrics.sum(Metric.LogWatcherSent)],
    ['log_watchers', Atomics.load(metrics.cells, Cell.Watchers)],
  ]
}

function tlsRows(metrics: Metrics, settings: Settings): StatRow[] {
  if (settings.tls === undefined) return []
  return [
    ['ssl_handshake_errors', metrics.sum(Metric.SslHandshakeErrors)],
    ['ssl_new_sessions', metrics.sum(Metric.SslNewSessions)],
    ['time_since_server_cert_refresh', upSeconds(settings) - Atomics.load(metrics.cells, Cell.SecretsReadAt)],
  ]
}

const VERIFY_MODES = { ignored: 0, checked: 1, required: 2 } as const

function tlsSettings({ tls }: Settings): StatRow[] {
  if (tls === undefined) return [['ssl_enabled', 'no']]
  return [
    ['ssl_enabled', 'yes'],
    ['ssl_chain_cert', tls.certFile],
    ['ssl_key', tls.keyFile ?? 'NULL'],
    ['ssl_verify_mode', VERIFY_MODES[tls.clientCertificates]],
    ['ssl_keyformat', tls.keyFormat === 'pem' ? 1 : 2],
    ['ssl_ciphers', tls.ciphers ?? 'NULL'],
    ['ssl_ca_cert', tls.caFile ?? 'NULL'],
    ['ssl_session_cache', 'yes'],
    ['ssl_kernel_tls', 'no'],
    ['ssl_min_version', tls.minVersion.toLowerCase()],
  ]
}

const yesNo = (value: boolean) => (value ? 'yes' : 'no')

export function settingsStats(table: Table, metrics: Metrics, settings: Settings): StatRow[] {
  return [
    ['maxbytes', table.stats().limitMaxbytes],
    ['maxconns', settings.maxConnections],
    ['tcpport', settings.socketPath === undefined ? settings.port : 0],
    ['udpport', 0],
    ['inter', settings.host],
    ['verbosity', Atomics.load(metrics.cells, Cell.Verbosity)],
    ['evictions', settings.evict ? 'on' : 'off'],
    ['domain_socket', settings.socketPath ?? 'NULL'],
    ['umask', settings.socketMode.toString(8)],
    ['shutdown_command', yesNo(settings.allowShutdown)],
    ['num_threads', settings.threads],
    ['stat_key_prefix', settings.prefixDelimiter],
    ['detail_enabled', yesNo(Atomics.load(metrics.cells, Cell.Detail) === 1)],
    ['reqs_per_event', settings.requestsPerTurn],
    ['cas_enabled', 'yes'],
    ['tcp_backlog', settings.backlog],
    ['binding_protocol', settings.protocol === 'auto' ? 'auto-negotiate' : settings.protocol],
    ['auth_enabled_sasl', yesNo(settings.authFile !== undefined && settings.protocol !== 'ascii')],
    ['auth_enabled_ascii', yesNo(settings.authFile !== undefined && settings.protocol !== 'binary')],
    ['item_size_max', settings.itemMax],
    ['maxconns_fast', 'yes'],
    ['lru_crawler', 'yes'],
    ['flush_enabled', yesNo(settings.allowFlush)],
    ['dump_enabled', yesNo(settings.allowDump)],
    ['idle_timeout', settings.idleTimeoutSeconds],
    ['watcher_logbuf_size', WATCHER_BYTES],
    ['worker_logbuf_size', BUNDLE_BYTES],
    ['track_sizes', 'yes'],
    ...tlsSettings(settings),
    ['memory_file', settings.memoryFile ?? 'NULL'],
    ['state_dir', settings.stateDir ?? 'NULL'],
    ['max_lease', settings.stateDir === undefined ? 0 : settings.maxLeaseMs / 1000],
    ['pinned_prefixes', table.handle.options.pinnedPrefixes.join(' ')],
  ]
}

/**
 * Size classes stand in for slab classes: the table has no slabs, but readers want to know what is how large. What
 * only lists by age could tell (items by list, moves between them, hits in them) is left out.
 */
export function itemsStats(table: Table): StatRow[] {
  return table
    .sizeClasses()
    .flatMap(({ id, upTo, items, bytes, age, ...counts }): StatRow[] => [
      [`items:${id}:number`, items],
      ...(age === undefined ? [] : [[`items:${id}:age`, age] as const]),
      [`items:${id}:mem_requested`, bytes],
      [`items:${id}:size_max`, upTo],
      ...countRows(`items:${id}`, counts, ITEM_COUNTS),
    ])
}

const ITEM_COUNTS = [
  'evicted',
  'evictedNonzero',
  'evictedTime',
  'outofmemory',
  'reclaimed',
  'expiredUnfetched',
  'evictedUnfetched',
  'evictedActive',
  'crawlerReclaimed',
] as const

function countRows<Name extends string>(
  prefix: string,
  counts: Record<Name, number>,
  names: readonly Name[],
): StatRow[] {
  return names.map((name): StatRow => [`${prefix}:${wireName(name)}`, counts[name]])
}

export function slabsStats(table: Table): StatRow[] {
  const classes = table.sizeClasses()
  const { limitMaxbytes, freeBytes, pageBytes } = table.stats()
  const rows = classes.flatMap(({ id, upTo, items, bytes, ...counts }): StatRow[] => [
    [`${id}:chunk_size`, upTo],
    [`${id}:used_chunks`, items],
    [`${id}:total_pages`, Math.ceil(bytes / pageBytes)],
    // memcached_exporter calls a server down that has not those of `set` and `cas` for a class that it names.
    ...countRows(String(id), counts, COMMAND_NAMES),
  ])
  return [
    ...rows,
    ['active_slabs', classes.filter(({ items }) => items > 0).length],
    ['total_malloced', limitMaxbytes - freeBytes],
  ]
}

/** Pinned items, and who waits for items. */
export function locksStats(table: Table): StatRow[] {
  const stats = table.stats()
  return LOCK_ROWS.map((name) => [wireName(name), stats[name]])
}

const LOCK_ROWS = [
  'pinnedItems',
  'pinnedBytes',
  'boundItems',
  'waiters',
  'waitersMax',
  'handOvers',
  'waits',
  'waitsTimedOut',
  'waitsRefused',
  'waitsAbandoned',
] as const

export function stripesStats(table: Table): StatRow[] {
  return table
    .stripes()
    .flatMap((stripe, index) =>
      Object.entries(stripe).map(([name, value]): StatRow => [`stripe:${index}:${wireName(name)}`, value]),
    )
}
