/** Where servers are: what a program says, checked and in one form. */
import { isIPv6 } from 'node:net'
import { inspect } from 'node:util'
import { InvalidArgumentError } from './errors.js'
import type { Server } from './types.js'

export const DEFAULT_PORT = 11211

export interface TcpAddress {
  /** Name, IPv4 or IPv6 address, the last without brackets. */
  readonly host: string
  readonly port: number
  readonly weight: number
  /** `host:port` or `[v6]:port`: one name for one server. */
  readonly name: string
}

export interface UnixAddress {
  readonly path: string
  readonly weight: number
  /** The path. */
  readonly name: string
}

export type Address = TcpAddress | UnixAddress

/** What Linux takes for the path of a socket; more would be cut, and reach another socket. */
const maxPathBytes = 107
const maxWeight = 2 ** 32 - 1

/**
 * One server, a list, or a string with several between commas; undefined is 127.0.0.1:11211. The order is kept.
 * Throws `InvalidArgumentError` for what is no address, for an empty list, and for a server named twice.
 */
export function parseServers(servers: Server | readonly Server[] = '127.0.0.1'): Address[] {
  const list: readonly Server[] = isList(servers) ? servers : [servers]
  const addresses = list.flatMap((server) =>
    typeof server === 'string' ? server.split(',').map((one) => fromString(one.trim(), server)) : fromObject(server),
  )
  if (addresses.length === 0) throw new InvalidArgumentError('the list of servers is empty')
  const names = new Set<string>()
  for (const address of addresses) {
    // Host names do not tell case apart; the paths of sockets do.
    const name = 'path' in address ? address.name : address.name.toLowerCase()
    if (names.has(name)) throw new InvalidArgumentError(`the server ${address.name} is named twice`)
    names.add(name)
  }
  return addresses
}

function isList(servers: Server | readonly Server[]): servers is readonly Server[] {
  return Array.isArray(servers)
}

function fromString(text: string, whole: string): Address {
  const path = /^(?:unix:(?:\/\/)?)?(\/.*)$/s.exec(text)
  if (path !== null) return unix(path[1], 1, whole)
  if (isIPv6(text)) return tcp(text, DEFAULT_PORT, 1, whole)
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text)
  if (parts === null) throw notAnAddress(whole, `use 'host', 'host:port', '[::1]:11211' or '/path'`)
  return tcp(parts[1], parts[2] === undefined ? DEFAULT_PORT : Number(parts[2]), 1, whole)
}

function fromObject(server: unknown): Address {
  if (typeof server !== 'object' || server === null) throw notAnAddress(server, 'use a string or an object')
  const { host, port = DEFAULT_PORT, path, weight = 1 } = server as Record<string, unknown>
  if ((host === undefined) === (path === undefined)) throw notAnAddress(server, 'it needs either host or path')
  return path === undefined ? tcp(host, port, weight, server) : unix(path, weight, server)
}

function tcp(name: unknown, port: unknown, weight: unknown, said: unknown): TcpAddress {
  const host = hostOf(name)
  if (host === undefined) throw notAnAddress(said, `${inspect(name)} is not a host`)
  if (!isWhole(port, 65_535)) throw notAnAddress(said, 'a port is a whole number from 1 to 65535')
  return { host, port, weight: weightOf(weight, said), name: `${host.includes(':') ? `[${host}]` : host}:${port}` }
}

function unix(path: unknown, weight: unknown, said: unknown): UnixAddress {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) throw notAnAddress(said, 'it is not a path')
  if (Buffer.byteLength(path) > maxPathBytes)
    throw notAnAddress(said, `the path of a socket has at most ${maxPathBytes} bytes`)
  return { path, weight: weightOf(weight, said), name: path }
}

/** A host without the brackets of IPv6; undefined when it could not be one. */
function hostOf(name: unknown): string | undefined {
  if (typeof name !== 'string') return undefined
  const bare = /^\[(.*)\]$/.exec(name)?.[1]
  if (bare !== undefined) return isIPv6(bare) ? bare : undefined
  return isIPv6(name) || /^[\p{L}\p{N}._-]+$/u.test(name) ? name : undefined
}

function weightOf(weight: unknown, said: unknown): number {
  if (isWhole(weight, maxWeight)) return weight
  throw notAnAddress(said, 'a weight is a whole number from 1')
}

function isWhole(value: unknown, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max
}

function notAnAddress(said: unknown, why: string): InvalidArgumentError {
  return new InvalidArgumentError(`not the address of a server: ${inspect(said)}: ${why}`)
}
