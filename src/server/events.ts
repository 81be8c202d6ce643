/**
 * What happens, as lines for those who watch: on each worker thread a log of events, sent to the main thread in
 * bundles. While nobody watches, a thread's only cost is to look at one shared word a batch.
 *
 * Lines are those of memcached's logger (https://docs.memcached.org/protocols/basic/, `watch`).
 */
import { Cell, Metric, type Metrics } from './metrics.js'
import type { Transport } from './transport.js'
import { uriEncoded } from './uri.js'

/** Kinds of events, one bit each, by the word that asks for them. */
export const EventKind = { fetchers: 1, mutations: 2, evictions: 4, connevents: 8, deletions: 16 } as const

export interface EventBundle {
  /** The kind of each line. */
  readonly kinds: number[]
  readonly lines: string[]
}

export type CloseReason = 'normal' | 'idle_timeout'

/** A bundle is sent when it has so many bytes, and at the next turn of the event loop. */
export const BUNDLE_BYTES = 65_536
/** Bundles on their way to the main thread. While so many are, and one is full, events are dropped and counted. */
const UNHEARD_MAX = 4

export class EventLog {
  /** Whose request is being answered. */
  client: Transport | undefined
  readonly #metrics: Metrics
  readonly #send: (bundle: EventBundle) => void
  #bundle: EventBundle = { kinds: [], lines: [] }
  #bytes = 0
  #unheard = 0
  #scheduled = false

  constructor(metrics: Metrics, send: (bundle: EventBundle) => void) {
    this.#metrics = metrics
    this.#send = send
  }

  itemGet(key: Uint8Array, found: boolean, sizeClass: number, size: number): void {
    const status = found ? 'found' : 'not_found'
    this.#add(
      EventKind.fetchers,
      `item_get key=${uriEncoded(key)} status=${status} clsid=${sizeClass} ${this.#cfd} size=${size}`,
    )
  }

  itemStore(key: Uint8Array, status: string, command: string, ttl: number, sizeClass: number, size: number): void {
    const what = `item_store key=${uriEncoded(key)} status=${status} cmd=${command}`
    this.#add(EventKind.mutations, `${what} ttl=${ttl} clsid=${sizeClass} ${this.#cfd} size=${size}`)
  }

  deleted(key: Uint8Array, command: string, sizeClass: number, size: number): void {
    this.#add(EventKind.deletions, `deleted key=${uriEncoded(key)} cmd=${command} clsid=${sizeClass} size=${size}`)
  }

  /** Times in seconds; `ttl` −1 for ever. */
  eviction(key: Uint8Array, fetched: boolean, ttl: number, idle: number, sizeClass: number, size: number): void {
    const what = `eviction key=${uriEncoded(key)} fetch=${fetched ? 'yes' : 'no'}`
    this.#add(EventKind.evictions, `${what} ttl=${ttl} la=${idle} clsid=${sizeClass} size=${size}`)
  }

  connected(transport: Transport): void {
    if (this.#wantsConnections()) this.#add(EventKind.connevents, `conn_new ${peer(transport)} ${cfd(transport)}`)
  }

  disconnected(transport: Transport, reason: CloseReason): void {
    if (this.#wantsConnections())
      this.#add(EventKind.connevents, `conn_close ${peer(transport)} reason=${reason} ${cfd(transport)}`)
  }

  #wantsConnections(): boolean {
    return (this.#metrics.cells[Cell.Watched] & EventKind.connevents) !== 0
  }

  get #cfd(): string {
    return cfd(this.client)
  }

  #add(kind: number, text: string): void {
    if (this.#bytes >= BUNDLE_BYTES) {
      this.#metrics.add(Metric.LogWorkerDropped, 1)
      return
    }
    this.#metrics.add(Metric.LogWorkerWritten, 1)
    const seconds = ((performance.timeOrigin + performance.now()) / 1000).toFixed(6)
    const line = `ts=${seconds} gid=${this.#metrics.nextEvent()} type=${text}\n`
    this.#bundle.kinds.push(kind)
    this.#bundle.lines.push(line)
    this.#bytes += line.length
    if (this.#bytes >= BUNDLE_BYTES) this.#flush()
    else if (!this.#scheduled) {
      this.#scheduled = true
      setImmediate(() => {
        this.#scheduled = false
        this.#flush()
      })
    }
  }

  #flush(): void {
    if (this.#bytes === 0 || this.#unheard >= UNHEARD_MAX) return
    this.#unheard++
    this.#send(this.#bundle)
    this.#bundle = { kinds: [], lines: [] }
    this.#bytes = 0
  }

  /** The main thread has taken a bundle. */
  heard(): void {
    this.#unheard--
    this.#flush()
  }
}

function cfd(transport: Transport | undefined): string {
  return `cfd=${transport?.descriptor ?? -1}`
}

/** `tcp:127.0.0.1:1234`, `tcp6:[::1]:1234` or `unix`, in the log's words. */
function peer(transport: Transport): string {
  const found = /^tcp6?:\[?(.*?)\]?:(\d+)$/.exec(transport.describePeer())
  return found === null ? 'rip=unix rport=0 transport=local' : `rip=${found[1]} rport=${found[2]} transport=tcp`
}
