/** Frames of the binary protocol (https://docs.memcached.org/protocols/binary/), right ones and wrong, as latin1 text. */
const headerBytes = 24

export const Opcode = { Get: 0x00, Set: 0x01, Noop: 0x0a, SaslAuth: 0x21 } as const

interface Frame {
  opcode: number
  extras?: string
  key?: string
  value?: string
  /** Instead of the true ones. */
  keyLength?: number
  bodyLength?: number
}

export function frame({ opcode, extras = '', key = '', value = '', keyLength, bodyLength }: Frame): string {
  const header = Buffer.alloc(headerBytes)
  header[0] = 0x80
  header[1] = opcode
  header.writeUInt16BE(keyLength ?? key.length, 2)
  header[4] = extras.length
  header.writeUInt32BE(bodyLength ?? extras.length + key.length + value.length, 8)
  return header.toString('latin1') + extras + key + value
}

export function setFrame(key: string, value: string): string {
  return frame({ opcode: Opcode.Set, extras: '\0'.repeat(8), key, value })
}

export function saslFrame(user: string, password: string): string {
  return frame({ opcode: Opcode.SaslAuth, key: 'PLAIN', value: `\0${user}\0${password}` })
}

export interface Answer {
  opcode: number
  status: number
  body: string
}

/** The whole replies in `text`. */
export function answers(text: string): Answer[] {
  const bytes = Buffer.from(text, 'latin1')
  const found: Answer[] = []
  for (let at = 0; at + headerBytes <= bytes.length; ) {
    const end = at + headerBytes + bytes.readUInt32BE(at + 8)
    if (end > bytes.length) break
    const bodyAt = at + headerBytes + bytes[at + 4] + bytes.readUInt16BE(at + 2)
    found.push({ opcode: bytes[at + 1], status: bytes.readUInt16BE(at + 6), body: text.slice(bodyAt, end) })
    at = end
  }
  return found
}
