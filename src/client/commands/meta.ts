/** One meta command as the caller writes it, for what has no method of its own. */
import { inspect } from 'node:util'
import { isError, type Reply, Status } from '../../protocol/index.js'
import { InvalidArgumentError, UnsupportedError } from '../errors.js'
import { Exchange } from '../exchange.js'
import type { Features } from '../features.js'
import type { WireKey } from '../key.js'
import type { Outbox } from '../outbox.js'
import type { MetaCommand, MetaReply } from '../types.js'

/** Letters alone, and letters with what may follow, that each command has; `P` and `L` are for proxies. */
const FLAGS: Record<MetaCommand, RegExp> = {
  mg: /^(?:[cfhklstuvwx]|C\d{1,20}|E\d{1,20}|[NRT]-?\d{1,10}|p\d*|[PL][\x21-\x7e]*)$/,
  ms: /^(?:[cfhkstI]|[CE]\d{1,20}|F\d{1,10}|[NT]-?\d{1,10}|M[EAPRSeaprs]|g\d{1,20}|[pw]\d+|z|[PL][\x21-\x7e]*)$/,
  md: /^(?:[ckxI]|[CEg]\d{1,20}|T-?\d{1,10}|[PL][\x21-\x7e]*)$/,
  ma: /^(?:[ckstv]|[CDEJ]\d{1,20}|[NT]-?\d{1,10}|M[ID+-]|p\d+|[PL][\x21-\x7e]*)$/,
  me: /^$/,
}
/** `b` and `O` are set by the client, and `q` would leave the request without a reply. */
const OWN = 'bOq'

const NAMES: Partial<Record<Status, string>> = {
  [Status.Done]: 'HD',
  [Status.Value]: 'VA',
  [Status.Miss]: 'EN',
  [Status.NotStored]: 'NS',
  [Status.Exists]: 'EX',
  [Status.NotFound]: 'NF',
  [Status.Debug]: 'ME',
}

export class Meta extends Exchange<MetaReply> {
  protected override readonly hasBody: boolean
  readonly #key: WireKey
  readonly #flags: readonly string[]
  readonly #value: Uint8Array | string | undefined

  /** Throws InvalidArgumentError for flags that are none or that would break the exchange, and a value out of place. */
  constructor(command: MetaCommand, key: WireKey, flags: readonly string[], value?: Uint8Array | string) {
    super(command)
    if (!Object.hasOwn(FLAGS, command)) throw new InvalidArgumentError(`${inspect(command)} is no meta command`)
    checkFlags(command, flags)
    if (command === 'ms' ? typeof value !== 'string' && !(value instanceof Uint8Array) : value !== undefined) {
      throw new InvalidArgumentError(command === 'ms' ? 'ms needs text or bytes' : `${command} takes no value`)
    }
    this.hasBody = command === 'ms'
    this.#key = key
    this.#flags = flags
    this.#value = value
  }

  write(out: Outbox, { meta }: Features): void {
    if (!meta) throw new UnsupportedError('the server has no meta commands')
    const length = this.#value === undefined ? undefined : Buffer.byteLength(this.#value)
    out.text(this.operation)
    out.word(this.#key.text)
    if (length !== undefined) {
      out.space()
      out.number(length)
    }
    if (this.#key.base64) out.word('b')
    for (const flag of this.#flags) out.word(flag)
    // me answers what it likes and takes no opaque.
    if (this.operation === 'me') out.endLine()
    else this.endMeta(out)
    if (this.#value === undefined || length === undefined) return
    out.value(this.#value, length)
    out.endLine()
  }

  /** The reply to `me` has no opaque. */
  override take(reply: Reply): boolean {
    if (this.operation === 'me' && !isError(reply.status)) return this.takeReply(reply)
    return super.take(reply)
  }

  protected takeReply(reply: Reply): boolean {
    const status = NAMES[reply.status]
    if (status === undefined) throw this.unexpected(reply)
    const answer: MetaReply = { status, flags: flagsOf(reply.text(), this.operation) }
    if (reply.status === Status.Value) answer.value = Buffer.from(reply.value())
    this.deliver(answer)
    return true
  }
}

/** Without the opaque, which is the client's own. `me` has none, and says what it likes. */
function flagsOf(text: string, operation: string): string[] {
  const flags: string[] = []
  for (let start = 0; start < text.length; ) {
    const space = text.indexOf(' ', start)
    const end = space < 0 ? text.length : space
    if (end > start && (text[start] !== 'O' || operation === 'me')) flags.push(text.slice(start, end))
    start = end + 1
  }
  return flags
}

const LOWER_A = 97

function checkFlags(command: MetaCommand, flags: readonly string[]): void {
  if (!Array.isArray(flags)) throw new InvalidArgumentError('flags are a list')
  /** A bit each, those of one case beside the other. */
  let lower = 0
  let upper = 0
  for (const flag of flags) {
    if (typeof flag !== 'string' || !FLAGS[command].test(flag)) {
      const why =
        typeof flag === 'string' && OWN.includes(flag[0]) ? 'is set by the client' : `is no flag of ${command}`
      throw new InvalidArgumentError(`${inspect(flag)} ${why}`)
    }
    const code = flag.charCodeAt(0)
    const bit = 1 << (code & 31)
    if (((code >= LOWER_A ? lower : upper) & bit) !== 0) {
      throw new InvalidArgumentError(`the flag ${flag[0]} is there twice`)
    }
    if (code >= LOWER_A) lower |= bit
    else upper |= bit
  }
}
