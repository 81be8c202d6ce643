/** An engine's servers as processes of the laboratory's own. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createLocks, type Locks, LockUnavailableError } from '../../locks/index.js'
import { type FaultName, faultKind } from '../faults.js'
import type { EngineName } from '../homes.js'
import type { EnginePark, Servers } from './engine-park.js'
import type { Engine } from './engines/engine.js'
import { engines } from './engines/index.js'
import { LaboratoryError } from './errors.js'
import { type EngineHome, nowMs } from './messages.js'
import { type Site, type SiteIncident, type SiteOrder, START_IN_MS } from './site.js'

const USUAL_MAX_LEASE_MS = 60_000
/** Without a hint, it is asked again whether locks can be had. Milliseconds. */
const AGAIN_MS = 100
/** Beyond the longest lease, which an engine that has just started may wait for. */
const READY_MS = 15_000
/** Who forgets must not be believed at once: all is as it would be, with leases that may not be long. */
const forgetting: ReadonlySet<FaultName> = new Set(['restart', 'flush'])

interface Wanted extends SiteOrder {
  readonly engine: EngineName
  readonly count: number
}

export class EngineSite implements Site {
  readonly protocol = 'unknown'
  readonly servers: Servers
  readonly #wanted: Wanted
  readonly #park: EnginePark

  private constructor(servers: Servers, wanted: Wanted, park: EnginePark) {
    this.servers = servers
    this.#wanted = wanted
    this.#park = park
  }

  static async open(wanted: Wanted, park: EnginePark): Promise<EngineSite> {
    return new EngineSite(await park.take(wanted.engine, wanted.count), wanted, park)
  }

  home(addresses: readonly string[] = this.#names, order: readonly number[] = [...addresses.keys()]): EngineHome {
    const { engine, fault, ttlMs } = this.#wanted
    const forgets = forgetting.has(fault)
    return {
      is: 'engine',
      engine,
      addresses: order.map((server) => addresses[server]),
      freshServers: forgets ? 'wait' : 'trust',
      maxLeaseMs: forgets ? ttlMs : Math.max(USUAL_MAX_LEASE_MS, ttlMs),
    }
  }

  sawKey(): void {}

  /** A server that answers may have no leader yet, or no vote. */
  async prepare(): Promise<void> {
    const { driver, close } = await engines[this.#wanted.engine].connect(this.home())
    const locks = createLocks(driver)
    try {
      await this.#untilReady(locks)
    } finally {
      await locks.close()
      await close()
    }
  }

  async startAt(): Promise<number> {
    return nowMs() + START_IN_MS
  }

  async suffer(incident: SiteIncident, key: string): Promise<void> {
    const { engine } = this.#wanted
    const done = this.#strike(engines[engine], incident, key)
    if (done === undefined) throw new LaboratoryError(`${incident.what} is nothing that befalls ${engine}`)
    await done
  }

  resume(): void {
    for (const server of this.servers) server.resume()
  }

  /** Rejects with LaboratoryError when a server had ended by itself. */
  async close(): Promise<void> {
    const { engine, fault } = this.#wanted
    const isWell = faultKind(fault).harmless || fault === 'foreign'
    if (isWell && this.servers.every(({ alive }) => alive)) this.#park.give(engine, this.servers)
    else await Promise.all(this.servers.map((server) => server.close()))
  }

  get #names(): string[] {
    return this.servers.map(({ host, port }) => `${host}:${port}`)
  }

  /** undefined: there is no such thing. */
  #strike({ flush, full, strangers }: Engine, incident: SiteIncident, key: string): Promise<void> | undefined {
    const { servers } = this
    if (incident.what === 'foreign') return strangers[incident.how]?.(key, servers[0])
    const server = servers[incident.server]
    if (incident.what === 'server-pause') return server.pause(incident.ms)
    if (incident.what === 'restart') return server.restart(incident.downMs)
    if (incident.what === 'flush') return flush?.(server)
    return incident.what === 'full' ? full?.(server, incident.ms) : undefined
  }

  async #untilReady(locks: Locks): Promise<void> {
    const { engine, ttlMs } = this.#wanted
    const until = nowMs() + ttlMs + READY_MS
    for (;;) {
      try {
        await (await locks.acquire('ready', { ttl: ttlMs })).release()
        return
      } catch (error) {
        if (!(error instanceof LockUnavailableError)) throw error
        if (nowMs() > until) throw new LaboratoryError(`${engine} gave no lock in time: ${error.message}`)
        await sleep(error.retryAfterMs ?? AGAIN_MS)
      }
    }
  }
}
