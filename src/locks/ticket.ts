/** A held lock as text, for another process to go on with. */
import type { Held } from './belief.js'
import type { Holder } from './driver.js'
import { LockArgumentError } from './errors.js'
import { isKey } from './names.js'
import type { Guarantee } from './types.js'

/** What is needed to find a lock again, and to know it for ours. */
export interface Ticket {
  readonly key: string
  readonly name: string
  readonly holder: Holder
  readonly ttlMs: number
  readonly guarantee: Guarantee
}

export function writeTicket({ lease, ttlMs }: Held, guarantee: Guarantee): string {
  const { key, name, holder } = lease
  return JSON.stringify({ latchkey: 1, key, name, holder, ttlMs, guarantee } satisfies Ticket & { latchkey: 1 })
}

/** Throws LockArgumentError for what `serialize` has not written. */
export function readTicket(text: unknown): Ticket {
  const ticket = parse(text)
  if (isTicket(ticket)) return ticket
  throw new LockArgumentError('this is not the text of a lock, as serialize() gives it')
}

function parse(text: unknown): unknown {
  try {
    return JSON.parse(text as string)
  } catch {
    return undefined
  }
}

function isTicket(value: unknown): value is Ticket {
  const ticket = value as Partial<Ticket & { latchkey: unknown }> | null | undefined
  return (
    ticket?.latchkey === 1 &&
    typeof ticket.name === 'string' &&
    typeof ticket.key === 'string' &&
    ticket.key.endsWith(ticket.name) &&
    isKey(ticket.key) &&
    typeof ticket.ttlMs === 'number' &&
    /^[0-9a-f]{32}$/.test(String(ticket.holder?.owner))
  )
}
