/** What is counted of clients. */
import type { CommandEvent } from '../../client/index.js'
import { codeOf } from '../errors.js'
import type { Subscriptions } from '../subscriptions.js'
import type { Buckets } from './collect.js'
import type { Meters } from './meters.js'

const COMMAND_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

export function countCommands(meters: Meters, on: Subscriptions, { command = COMMAND_SECONDS }: Buckets): void {
  const durations = meters.histogram(
    'client_command_duration_seconds',
    'From the call of a command to its result, by outcome: ok, or the code of the error.',
    ['operation', 'outcome'],
    command,
  )
  const startedAt = new WeakMap<CommandEvent, number>()
  const observe = (event: CommandEvent, outcome: string) => {
    const start = startedAt.get(event)
    if (start === undefined) return
    durations.observe({ operation: event.operation, outcome }, (performance.now() - start) / 1000)
  }
  on.on('latchkey:client:command:start', (event) => void startedAt.set(event, performance.now()))
  on.on('latchkey:client:command:end', (event) => observe(event, 'ok'))
  on.on('latchkey:client:command:error', (event) => observe(event, codeOf(event.error)?.toLowerCase() ?? 'aborted'))
  countConnections(meters, on)
}

function countConnections(meters: Meters, on: Subscriptions): void {
  const open = meters.gauge('client_connections', 'Connections that are open now.', ['server'])
  const connects = meters.counter('client_connects_total', 'Connections that were opened.', ['server'])
  const disconnects = meters.counter('client_disconnects_total', 'Connections that were open and ended.', ['server'])
  const reconnects = meters.counter('client_reconnects_total', 'Tries to connect after the first.', ['server'])
  const known = new Map<string, number>()
  const change = (server: string, by: number) => {
    // One that was open before we listened is not in the sum.
    const count = Math.max(0, (known.get(server) ?? 0) + by)
    known.set(server, count)
    open.set({ server }, count)
  }
  on.on('latchkey:client:connect', ({ server }) => {
    connects.inc({ server })
    change(server, 1)
  })
  on.on('latchkey:client:disconnect', ({ server }) => {
    disconnects.inc({ server })
    change(server, -1)
  })
  on.on('latchkey:client:reconnect', ({ server }) => reconnects.inc({ server }))
}
