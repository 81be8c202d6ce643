/** Are our diagnostics channels listened to? */
import { hasSubscribers } from 'node:diagnostics_channel'
import { channels as ofClients } from '#dist/client/diagnostics.js'
import { channels as ofLocks } from '#dist/locks/diagnostics.js'

export const channelNames = [...Object.values(ofLocks), ...Object.values(ofClients)].map(({ name }) => String(name))

export function listenedTo(): string[] {
  return channelNames.filter((name) => hasSubscribers(name))
}
