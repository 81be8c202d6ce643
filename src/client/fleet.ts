/** The servers of a client: which one a key belongs to, the spare ones, and all of them. */

import type { Address } from './address.js'
import { Computations } from './computations.js'
import { InvalidArgumentError } from './errors.js'
import { type Distribution, Ring } from './ring.js'
import type { GutterSettings, LinkSettings } from './settings.js'
import type { Key, Session } from './types.js'
import { Upstream } from './upstream.js'
import { Winners } from './winners.js'

class Group {
  readonly upstreams: readonly Upstream[]
  readonly #ring: Ring

  constructor(servers: readonly Address[], distribution: Distribution | undefined, settings: LinkSettings) {
    this.upstreams = servers.map((address) => new Upstream(address, settings))
    this.#ring = new Ring(servers, distribution)
  }

  of(key: Key): Upstream {
    return this.upstreams[this.#ring.pick(key)]
  }
}

export class Fleet {
  readonly #servers: Group
  readonly #spare: Group | undefined
  readonly gutter: GutterSettings | undefined
  readonly #options: ConstructorParameters<typeof Fleet>
  /** What `fetch` does in this process, for all views of the client. */
  readonly computations = new Computations()
  readonly winners = new Winners()

  constructor(
    servers: readonly Address[],
    distribution: Distribution | undefined,
    gutter: GutterSettings | undefined,
    settings: LinkSettings,
  ) {
    this.#servers = new Group(servers, distribution, settings)
    this.#spare = gutter === undefined ? undefined : new Group(gutter.servers, distribution, settings)
    this.gutter = gutter
    this.#options = [servers, distribution, gutter, settings]
  }

  /** The same servers over connections of its own. */
  duplicate(): Fleet {
    return new Fleet(...this.#options)
  }

  /** Without the spare ones. */
  get upstreams(): readonly Upstream[] {
    return this.#servers.upstreams
  }

  /** The one server of a key. It does not depend on which servers can be reached. With a session it is that one's. */
  upstreamOf(key: Key, session?: Session): Upstream {
    return session === undefined ? this.#servers.of(key) : this.upstreamNamed(session.server)
  }

  /** Throws InvalidArgumentError where there is none. */
  upstreamNamed(server: string): Upstream {
    const found = this.upstreams.find(({ name }) => name === server)
    if (found === undefined) throw new InvalidArgumentError(`${server} is not one of the servers`)
    return found
  }

  /** The spare server of a key. */
  spareOf(key: Key): Upstream {
    return this.#spare!.of(key)
  }

  async close(): Promise<void> {
    await Promise.all(this.#all().map((upstream) => upstream.close()))
  }

  async hangUp(): Promise<void> {
    await Promise.all(this.#all().map((upstream) => upstream.hangUp()))
  }

  #all(): readonly Upstream[] {
    return [...this.upstreams, ...(this.#spare?.upstreams ?? [])]
  }
}
