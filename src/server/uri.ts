/** Keys in logs and dumps: as in a URL, where letters, digits and `-._~` stand for themselves. */

const PLAIN = new Uint8Array(256)
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~') PLAIN[char.charCodeAt(0)] = 1

export function standsForItself(byte: number): boolean {
  return PLAIN[byte] === 1
}

/** `%` and two digits. */
export function escaped(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

export function uriEncoded(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += standsForItself(byte) ? String.fromCharCode(byte) : escaped(byte)
  return text
}

const CONTROLS = /[\0- \x7f]/g

/** As it is, but for what would end a line or a word: keys of the binary protocol, and in base64, may hold that. */
export function printable(text: string): string {
  return text.replace(CONTROLS, (char) => escaped(char.charCodeAt(0)))
}
