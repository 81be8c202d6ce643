/** Servers that others use, too: nothing is done to them, and what was written there is taken away. */
import { randomBytes } from 'node:crypto'
import { createClient } from '../../client/index.js'
import { LaboratoryError } from './errors.js'
import type { Estate } from './estate.js'
import { deleteKeys } from './keys.js'
import { lasting } from './lasting.js'
import { nowMs, type ServersHome } from './messages.js'
import { type Site, type SiteOrder, START_IN_MS } from './site.js'
import { beforeTick } from './tick.js'
import type { Address } from './wires.js'

const PREFIX_BYTES = 4
/** What was on its way when its connection was cut has been carried out by then. Milliseconds. */
const ON_THE_WAY_MS = 50
const USUAL_MAX_LEASE_MS = 60_000

export interface Guests {
  readonly addresses: readonly Address[]
  /** Every one of them is Latchkey. */
  readonly latchkey: boolean
}

/** Rejects with LaboratoryError, before anything is written, for servers that cannot be reached. */
export async function visit(servers: readonly string[]): Promise<Guests> {
  if (servers.length === 0) throw new LaboratoryError('no servers are given')
  const versions = await Promise.all(servers.map(versionOf))
  return { addresses: servers.map(addressOf), latchkey: versions.every((version) => /latchkey/.test(version)) }
}

async function versionOf(server: string): Promise<string> {
  try {
    await using client = createClient({ servers: server })
    return [...(await client.version()).values()][0] ?? ''
  } catch (cause) {
    throw new LaboratoryError(`${server} cannot be reached: ${(cause as Error).message}`, { cause })
  }
}

function addressOf(server: string): Address {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(server) ?? []
  const host = bracketed ?? plain
  if (host === undefined) throw new LaboratoryError(`${server} is no host:port`)
  return { host, port: Number(port ?? 11211) }
}

interface GuestOrder extends SiteOrder {
  readonly quorum: boolean
}

export class GuestSite implements Site {
  readonly protocol = 'memcached'
  readonly servers: readonly Address[]
  readonly #order: GuestOrder
  readonly #estate: Estate
  readonly #prefix = `latchkey:torture:${randomBytes(PREFIX_BYTES).toString('hex')}:`
  readonly #keys = new Map<string, Set<string>>()

  constructor(servers: readonly Address[], order: GuestOrder, estate: Estate) {
    this.servers = servers
    this.#order = order
    this.#estate = estate
  }

  /** Nobody restarts them here, so that they are believed however new they are. */
  home(addresses: readonly string[] = this.#names, order: readonly number[] = [...addresses.keys()]): ServersHome {
    return {
      is: 'servers',
      names: this.#names,
      addresses,
      order,
      keyPrefix: this.#prefix,
      freshServers: 'trust',
      maxLeaseMs: Math.max(USUAL_MAX_LEASE_MS, this.#order.ttlMs),
      quorum: this.#order.quorum,
      retries: this.#order.fault === 'retry',
    }
  }

  /** Written down before the request goes on, in case that we are killed. */
  sawKey(at: number, key: string): void {
    const server = this.#names[at]
    const keys = this.#keys.get(server) ?? new Set()
    this.#keys.set(server, keys)
    if (keys.has(key)) return
    keys.add(key)
    this.#estate.tell({ is: 'key', server, key })
  }

  async prepare(): Promise<void> {}

  async startAt(): Promise<number> {
    if (this.#order.fault !== 'boundary') return nowMs() + START_IN_MS
    await using client = createClient({ servers: this.#names[0] })
    return await beforeTick(client)
  }

  suffer(): never {
    throw new LaboratoryError('servers that others use are not hurt')
  }

  resume(): void {}

  /** Rejects with LaboratoryError when a server does not delete what was written there. */
  async close(): Promise<void> {
    await lasting(ON_THE_WAY_MS)
    for (const [server, keys] of this.#keys) {
      await deleteKeys(server, [...keys])
      for (const key of keys) this.#estate.tell({ is: 'key', server, key, gone: true })
    }
  }

  get #names(): string[] {
    return this.servers.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`))
  }
}
