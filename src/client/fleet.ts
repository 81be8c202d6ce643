/** The servers of a client: which one a key belongs to, the spare ones, and all of them. */

import type { Address } from './address.js'
import { Computations } from './computations.js'
import { InvalidArgumentError } from './errors.js'
import { type Distribution, Ring } from './ring.js'
import type { GutterSettings, LinkSettings } from './settings.js'
import type { Key, Session } from './types.js'
import { Upstream } from './upstream.js'
import { Winners } from './winners.js'

/** A list of servers, and what is worked out of it once. */
class Roster {
  readonly addresses: readonly Address[]
  readonly ring: Ring
  /** Places in the list. */
  readonly places: ReadonlyMap<string, number>

  constructor(addresses: readonly Address[], distribution: Distribution | undefined) {
    this.addresses = addresses
    this.ring = new Ring(addresses, distribution)
    this.places = new Map(addresses.map(({ name }, place) => [name, place]))
  }
}

/** The upstreams of a list, made when they are first asked for anything: a duplicate mostly talks to one of hundreds. */
class Group {
  readonly #roster: Roster
  readonly #settings: LinkSettings
  readonly #upstreams: (Upstream | undefined)[]
  #closed = false

  constructor(roster: Roster, settings: LinkSettings) {
    this.#roster = roster
    this.#settings = settings
    this.#upstreams = roster.addresses.map(() => undefined)
  }

  duplicate(): Group {
    return new Group(this.#roster, this.#settings)
  }

  of(key: Key): Upstream {
    return this.#at(this.#roster.ring.pick(key))
  }

  named(server: string): Upstream | undefined {
    const place = this.#roster.places.get(server)
    return place === undefined ? undefined : this.#at(place)
  }

  all(): readonly Upstream[] {
    return this.#upstreams.map((_, place) => this.#at(place))
  }

  /** Those that there are, for the last time. */
  ending(): readonly Upstream[] {
    this.#closed = true
    return this.#upstreams.filter((upstream) => upstream !== undefined)
  }

  #at(place: number): Upstream {
    return this.#upstreams[place] ?? this.#make(place)
  }

  #make(place: number): Upstream {
    const upstream = new Upstream(this.#roster.addresses[place], this.#settings)
    this.#upstreams[place] = upstream
    if (this.#closed) void upstream.close()
    return upstream
  }
}

export class Fleet {
  readonly #servers: Group
  readonly #spare: Group | undefined
  readonly gutter: GutterSettings | undefined
  /** What `fetch` does in this process, for all views of the client. */
  readonly computations = new Computations()
  readonly winners = new Winners()

  private constructor(servers: Group, spare: Group | undefined, gutter: GutterSettings | undefined) {
    this.#servers = servers
    this.#spare = spare
    this.gutter = gutter
  }

  static of(
    servers: readonly Address[],
    distribution: Distribution | undefined,
    gutter: GutterSettings | undefined,
    settings: LinkSettings,
  ): Fleet {
    const groupOf = (addresses: readonly Address[]) => new Group(new Roster(addresses, distribution), settings)
    return new Fleet(groupOf(servers), gutter && groupOf(gutter.servers), gutter)
  }

  /** The same servers over connections of its own. */
  duplicate(): Fleet {
    return new Fleet(this.#servers.duplicate(), this.#spare?.duplicate(), this.gutter)
  }

  /** Without the spare ones. */
  get upstreams(): readonly Upstream[] {
    return this.#servers.all()
  }

  /** The one server of a key. It does not depend on which servers can be reached. With a session it is that one's. */
  upstreamOf(key: Key, session?: Session): Upstream {
    return session === undefined ? this.#servers.of(key) : this.upstreamNamed(session.server)
  }

  /** Throws InvalidArgumentError where there is none. */
  upstreamNamed(server: string): Upstream {
    const found = this.#servers.named(server)
    if (found === undefined) throw new InvalidArgumentError(`${server} is not one of the servers`)
    return found
  }

  /** The spare server of a key. */
  spareOf(key: Key): Upstream {
    return this.#spare!.of(key)
  }

  async close(): Promise<void> {
    await Promise.all(this.#ending().map((upstream) => upstream.close()))
  }

  async hangUp(): Promise<void> {
    await Promise.all(this.#ending().map((upstream) => upstream.hangUp()))
  }

  #ending(): readonly Upstream[] {
    return [...this.#servers.ending(), ...(this.#spare?.ending() ?? [])]
  }
}
