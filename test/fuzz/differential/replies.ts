/** Replies of two servers made comparable: each token becomes the number of its first appearance in the conversation. */

/** The tokens that one server has given in a conversation, in the order of their first appearance. */
export class Tokens {
  #numbers = new Map<string, number>()
  #given: string[] = []

  /** `#0` for the first that was seen, and so on. Nought is no token, and stays. */
  name(token: string): string {
    if (token === '0') return token
    let number = this.#numbers.get(token)
    if (number === undefined) {
      number = this.#given.push(token) - 1
      this.#numbers.set(token, number)
    }
    return `#${number}`
  }

  /** The token that is `back` before the latest; 1, which is below all, when there was none. */
  recall(back: number): bigint {
    const { length } = this.#given
    return length === 0 ? 1n : BigInt(this.#given[length - 1 - (back % length)])
  }
}

const textTokens = /^(VALUE \S+ \d+ \d+ |(?:HD|VA|EN|NS|EX|NF)(?: \S+)*? c|ME .* cas=)(\d+)/gm

export function withNamedTokens(reply: string, tokens: Tokens): string {
  return reply.replace(textTokens, (_, before: string, token: string) => before + tokens.name(token))
}

const HEADER_BYTES = 24

/** Frames as lines, one each; bytes that are none, at the end, as they are. */
export function binaryLines(reply: string, tokens: Tokens): string {
  const bytes = Buffer.from(reply, 'latin1')
  let text = ''
  let at = 0
  while (at + HEADER_BYTES <= bytes.length && bytes[at] === 0x81) {
    const bodyAt = at + HEADER_BYTES
    const end = bodyAt + bytes.readUInt32BE(at + 8)
    text += `${reply.slice(at, at + 2)} status ${bytes.readUInt16BE(at + 6)} ${reply.slice(at + 12, at + 16)} `
    text += `lengths ${bytes.readUInt16BE(at + 2)} ${bytes[at + 4]} ${bytes[at + 5]} `
    text += `token ${tokens.name(`${bytes.readBigUInt64BE(at + 16)}`)} body ${reply.slice(bodyAt, end)}`.replaceAll(
      '\n',
      '\\n',
    )
    text += '\n'
    at = end
  }
  return text + reply.slice(at)
}
