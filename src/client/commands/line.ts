/** The parts that request lines share, and what their replies do. */
import type { Reply } from '../../protocol/index.js'
import { UnsupportedError } from '../errors.js'
import type { WireKey } from '../key.js'
import type { Outbox } from '../outbox.js'

/** The key as classic commands take it: they have no base64. */
export function classicKey(key: WireKey): string {
  if (key.base64)
    throw new UnsupportedError('a key with spaces or control characters needs a server with meta commands')
  return key.text
}

/** `command` includes the space behind it. */
export function writeMetaKey(out: Outbox, command: string, key: WireKey): void {
  out.text(command)
  out.text(key.text)
  if (key.base64) out.text(' b')
}

/**
 * An item without a value yet: `fetch` has made it, and somebody is computing. For everybody else that is a miss. (An empty
 * value that is being computed anew before its time looks the same, and then is missed for so long.)
 */
export function isPlaceholder(reply: Reply): boolean {
  return reply.lost && !reply.stale && reply.valueStart === reply.valueEnd
}
