/** The parts that request lines share. */
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

/** The opaque and the end of the line. */
export function writeMetaEnd(out: Outbox, id: number): void {
  out.text(' O')
  out.number(id)
  out.endLine()
}
