/** Where the server listens, as `stats conns` tells it. */
import { type Settings, upSeconds } from './options.js'

/** `tcp:<address>:<port>`, or `unix:<path>`. */
export function listenAddress({ socketPath, host, port }: Settings): string {
  return socketPath === undefined ? `tcp:${host}:${port}` : `unix:${socketPath}`
}

/** The listener's own rows, before those of the connections. */
export function listenerLines(settings: Settings): string {
  const rows = [
    ['addr', listenAddress(settings)],
    ['state', 'conn_listening'],
    ['secs_since_last_cmd', upSeconds(settings)],
  ]
  return rows.map(([name, value]) => `STAT 0:${name} ${value}\r\n`).join('')
}
