/**
 * Events on node:diagnostics_channel. Nothing is made or published where nobody subscribes.
 *
 * | channel | message |
 * |---|---|
 * | `latchkey:client:command:start` | `CommandEvent` |
 * | `latchkey:client:command:end` | `CommandEvent`, with `result` |
 * | `latchkey:client:command:error` | `CommandEvent`, with `error` |
 * | `latchkey:client:connect` | `{ server, version }` |
 * | `latchkey:client:disconnect` | `{ server, error }` |
 * | `latchkey:client:reconnect` | `{ server, attempt }`, before each new try |
 */
import { type Channel, channel } from 'node:diagnostics_channel'
import type { AnyExchange } from './connection.js'
import type { Key } from './types.js'

/** The same object for start and end, so that a subscriber can keep what it needs beside it in a WeakMap. */
export interface CommandEvent {
  /** `get`, `set`, `getMany`, … */
  readonly operation: string
  /** `host:port` or a path. */
  readonly server: string
  /** With the prefix; undefined where there is none or there are several. */
  readonly key: Key | undefined
  result?: unknown
  error?: unknown
}

/** The message of each channel. `server`: `host:port` or a path. */
export interface ClientChannels {
  'latchkey:client:command:start': CommandEvent
  'latchkey:client:command:end': CommandEvent
  'latchkey:client:command:error': CommandEvent
  'latchkey:client:connect': { readonly server: string; readonly version: string }
  'latchkey:client:disconnect': { readonly server: string; readonly error: Error }
  'latchkey:client:reconnect': { readonly server: string; readonly attempt: number }
}

export const channels = {
  start: named('latchkey:client:command:start'),
  end: named('latchkey:client:command:end'),
  error: named('latchkey:client:command:error'),
  connect: named('latchkey:client:connect'),
  disconnect: named('latchkey:client:disconnect'),
  reconnect: named('latchkey:client:reconnect'),
} as const

function named(name: keyof ClientChannels): Channel {
  return channel(name)
}

export function publish(to: Channel, message: () => object): void {
  if (to.hasSubscribers) to.publish(message())
}

/** Follows one exchange from its start to its end. */
export function observe(exchange: AnyExchange, server: string, key: Key | undefined): void {
  const { start, end, error } = channels
  if (!start.hasSubscribers && !end.hasSubscribers && !error.hasSubscribers) return
  const event: CommandEvent = { operation: exchange.operation, server, key }
  start.publish(event)
  exchange.promise.then(
    (result) => end.publish(Object.assign(event, { result })),
    (reason) => error.publish(Object.assign(event, { error: reason })),
  )
}
