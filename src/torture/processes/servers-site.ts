/** Servers as processes of the laboratory's own: anything may be done to them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient } from '../../client/index.js'
import { createLocks, LockUnavailableError, memcached } from '../../locks/index.js'
import { Crowd, crowdOut } from './crowd.js'
import { CrowdedServer } from './crowded-server.js'
import { LaboratoryError } from './errors.js'
import type { Estate } from './estate.js'
import { lasting } from './lasting.js'
import { nowMs, type ServersHome } from './messages.js'
import { latchkeyProgram, memcachedProgram } from './programs.js'
import { ServerProcess } from './server-process.js'
import { FOREIGN_TTL_S, type Site, type SiteIncident, type SiteOrder, START_IN_MS } from './site.js'
import { beforeTick } from './tick.js'

/** As the driver has it by default. */
const USUAL_MAX_LEASE_MS = 60_000
/** Without a hint, a server is asked again whether it has its vote. Milliseconds. */
const AGAIN_MS = 100
/** Beyond the longest lease: it counts from 3 s before its start, and has to be reached. */
const VOTE_PATIENCE_MS = 15_000

interface Wanted extends SiteOrder {
  readonly kind: 'latchkey' | 'memcached'
  readonly count: number
  /** Its locks are Latchkey's, which ask how long the server has been running. */
  readonly asksForVotes: boolean
  readonly quorum: boolean
}

export class ServersSite implements Site {
  readonly protocol = 'memcached'
  readonly servers: readonly ServerProcess[]
  readonly #wanted: Wanted
  readonly #clients: readonly Client<string>[]
  readonly #crowded: readonly CrowdedServer[]
  readonly #crowds: readonly Crowd[]

  private constructor(servers: readonly ServerProcess[], wanted: Wanted) {
    this.servers = servers
    this.#wanted = wanted
    this.#clients = servers.map((server) => createClient({ servers: nameOf(server), whenDown: 'wait' }))
    this.#crowded = servers.map((server) => new CrowdedServer(server))
    this.#crowds = this.#crowded.map((each) => new Crowd(each))
  }

  static async open(wanted: Wanted, estate: Estate): Promise<ServersSite> {
    const { kind, count, fault, ttlMs } = wanted
    const program = kind === 'latchkey' ? latchkeyProgram(fault !== 'full', maxLeaseOf(ttlMs)) : memcachedProgram(fault)
    const programs = Array.from({ length: count }, () => program)
    return new ServersSite(await ServerProcess.startAll(programs, estate), wanted)
  }

  /**
   * A server that has just started has no vote for as long as any lease may last; for these runs nobody can have had one before they
   * began, so that it is believed. Not where restarts are the fault: then all is as it would be, with leases that may not be long.
   */
  home(addresses: readonly string[] = this.#names, order: readonly number[] = places(addresses)): ServersHome {
    const restarts = this.#wanted.fault === 'restart'
    return {
      is: 'servers',
      names: this.#names,
      addresses,
      order,
      keyPrefix: '',
      freshServers: restarts ? 'wait' : 'trust',
      maxLeaseMs: restarts ? this.#wanted.ttlMs : maxLeaseOf(this.#wanted.ttlMs),
      quorum: this.#wanted.quorum,
      retries: this.#wanted.fault === 'retry',
    }
  }

  sawKey(): void {}

  async prepare(): Promise<void> {
    const { fault, asksForVotes } = this.#wanted
    if (fault === 'restart' && asksForVotes) await Promise.all(this.#names.map((name) => this.#untilItVotes(name)))
    if (fault === 'full') {
      for (const crowd of this.#crowds) {
        await crowd.fill()
        await crowd.makeRoom()
      }
    }
  }

  async startAt(): Promise<number> {
    return this.#wanted.fault === 'boundary' ? beforeTick(this.#clients[0]) : nowMs() + START_IN_MS
  }

  async suffer(incident: SiteIncident, key: string): Promise<void> {
    if (incident.what === 'foreign') return this.#meddle(incident.how, key)
    const { server } = incident
    if (incident.what === 'server-pause') await this.servers[server].pause(incident.ms)
    if (incident.what === 'restart') await this.servers[server].restart(incident.downMs)
    if (incident.what === 'flush') await this.#clients[server].flush()
    if (incident.what === 'evict') await crowdOut(this.#crowded[server], key)
    if (incident.what === 'full') {
      await this.#crowds[server].fill()
      await lasting(incident.ms)
      await this.#crowds[server].makeRoom()
    }
  }

  resume(): void {
    for (const server of this.servers) server.resume()
  }

  /** Rejects with LaboratoryError when a server had ended by itself. */
  async close(): Promise<void> {
    const closed = await Promise.allSettled(this.servers.map((server) => server.close()))
    await Promise.all([...this.#clients, ...this.#crowded].map((client) => client.close()))
    const failed = closed.find((each) => each.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  get #names(): string[] {
    return this.servers.map(nameOf)
  }

  /** On whichever server it is. */
  async #meddle(how: 'set' | 'touch' | 'delete', key: string): Promise<void> {
    for (const client of this.#clients) {
      const ttl = FOREIGN_TTL_S * 1000
      const isThere = this.#clients.length === 1 || (await client.meta('me', key)).status === 'ME'
      if (how === 'set' && isThere) await client.set(key, 'foreign', { ttl })
      if (how === 'touch') await client.touch(key, ttl)
      if (how === 'delete') await client.delete(key)
    }
  }

  async #untilItVotes(name: string): Promise<void> {
    await using locks = createLocks(memcached({ servers: name, maxLease: this.#wanted.ttlMs }))
    const until = nowMs() + this.#wanted.ttlMs + VOTE_PATIENCE_MS
    for (;;) {
      try {
        await (await locks.acquire('vote', { ttl: this.#wanted.ttlMs })).release()
        return
      } catch (error) {
        if (!(error instanceof LockUnavailableError)) throw error
        if (nowMs() > until) throw new LaboratoryError(`${name} had no vote in time: ${error.message}`)
        await sleep(error.retryAfterMs ?? AGAIN_MS)
      }
    }
  }
}

function nameOf({ host, port }: ServerProcess): string {
  return `${host}:${port}`
}

function places(list: readonly unknown[]): number[] {
  return [...list.keys()]
}

function maxLeaseOf(ttlMs: number): number {
  return Math.max(USUAL_MAX_LEASE_MS, ttlMs)
}
