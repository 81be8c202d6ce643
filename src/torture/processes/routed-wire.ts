/**
 * Servers that each participant reaches at addresses of its own, since there is a fault proxy before each: which key is on which of
 * them must not depend on those addresses, but on what everybody calls the servers.
 */
import { type Client, type Codec, createClient, type Session } from '../../client/index.js'
import type { Wire } from '../../locks/index.js'
import type { ServersHome } from './messages.js'

const raw: Codec<Buffer> = {
  encode: (data) => ({ data, flags: 0 }),
  decode: (data) => Buffer.from(data),
}

export function routedWire({ names, addresses, order, keyPrefix }: ServersHome): Wire {
  // Never connects: it has the ring.
  const ring = createClient({ servers: order.map((server) => names[server]), keyPrefix })
  const clients = new Map(
    order.map((server) => [names[server], createClient({ servers: addresses[server], codec: raw, keyPrefix })]),
  )
  return new RoutedWire(ring, clients)
}

type Options = { readonly session?: Session }

class RoutedWire implements Wire {
  readonly #ring: Client<string>
  readonly #clients: ReadonlyMap<string, Client<Buffer>>

  constructor(ring: Client<string>, clients: ReadonlyMap<string, Client<Buffer>>) {
    this.#ring = ring
    this.#clients = clients
  }

  session: Wire['session'] = (key, options) => this.#of(key).session(key, options)
  currentSession: Wire['currentSession'] = (key) => this.#of(key).currentSession(key)
  serverOf: Wire['serverOf'] = (key) => this.#of(key).serverOf(key)
  meta: Wire['meta'] = (command, key, ...rest) => this.#of(key, rest[2]).meta(command, key, ...rest)
  add: Wire['add'] = (key, value, options) => this.#of(key, options).add(key, value, options)
  cas: Wire['cas'] = (key, value, token, options) => this.#of(key, options).cas(key, value, token, options)
  gets: Wire['gets'] = (key, options) => this.#of(key, options).gets(key, options)
  delete: Wire['delete'] = (key, options) => this.#of(key, options).delete(key, options)
  incr: Wire['incr'] = (key, delta, options) => this.#of(key, options).incr(key, delta, options)

  /** Of the session's server, or of all. */
  stats: Wire['stats'] = async (group, options) => {
    const asked = options?.session === undefined ? this.#all : [this.#at(options.session)]
    const answers = await Promise.all(asked.map((client) => client.stats(group, options)))
    return new Map(answers.flatMap((answer) => [...answer]))
  }

  keys: Wire['keys'] = (options) => listed(this.#all, options)

  duplicate(): Wire {
    return new RoutedWire(this.#ring, new Map([...this.#clients].map(([name, client]) => [name, client.duplicate()])))
  }

  hangUp: Wire['hangUp'] = () => all(this.#all.map((client) => client.hangUp()))
  close: Wire['close'] = () => all(this.#all.map((client) => client.close()))

  get #all(): Client<Buffer>[] {
    return [...this.#clients.values()]
  }

  #of(key: Parameters<Wire['serverOf']>[0], options?: Options): Client<Buffer> {
    if (options?.session !== undefined) return this.#at(options.session)
    return this.#clients.get(this.#ring.serverOf(key))!
  }

  #at({ server }: Session): Client<Buffer> {
    // Each has one server, which has all its keys.
    return this.#all.find((client) => client.serverOf('any') === server)!
  }
}

async function* listed(clients: Client<Buffer>[], options: Parameters<Wire['keys']>[0]): ReturnType<Wire['keys']> {
  for (const client of clients) yield* client.keys(options)
}

async function all(promises: Promise<void>[]): Promise<void> {
  await Promise.all(promises)
}
