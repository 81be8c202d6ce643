/** SASL's mechanism PLAIN (RFC 4616): `[authorize as] NUL user NUL password`. */
export interface Plain {
  readonly user: Uint8Array
  readonly password: Uint8Array
}

/** Undefined for what is no such message, and for who wants to be somebody else than he is. */
export function parsePlain(message: Uint8Array): Plain | undefined {
  const first = message.indexOf(0)
  const second = first < 0 ? -1 : message.indexOf(0, first + 1)
  if (second < 0) return undefined
  const user = message.subarray(first + 1, second)
  const password = message.subarray(second + 1)
  const others = first > 0 && Buffer.compare(message.subarray(0, first), user) !== 0
  return others || password.includes(0) ? undefined : { user, password }
}

/** The only mechanism there is; its name is told in either case. */
export function isPlain(mechanism: Uint8Array): boolean {
  return Buffer.from(mechanism).toString('latin1').toUpperCase() === PLAIN
}

export const PLAIN = 'PLAIN'
