/** One meta command as the caller writes it, for what has no method of its own. */
import { type Reply, Status } from '../../protocol/index.js'
import { InvalidArgumentError, UnsupportedError } from '../errors.js'
import { Exchange } from '../exchange.js'
import type { Features } from '../features.js'
import type { WireKey } from '../key.js'
import type { Outbox } from '../outbox.js'
import type { MetaCommand, MetaReply } from '../types.js'
import { writeMetaEnd } from './line.js'

const COMMANDS: readonly string[] = ['mg', 'ms', 'md', 'ma', 'me'] satisfies MetaCommand[]
const FLAG = /^[A-Za-z][\x21-\x7e]*$/
/** q would leave the request without a reply; O and b are the client's own; S is memcached's old way to give a length. */
const RESERVED = 'qObS'

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
    if (!COMMANDS.includes(command)) throw new InvalidArgumentError(`${command} is no meta command`)
    for (const flag of flags) checkFlag(flag)
    if ((value !== undefined) !== (command === 'ms')) {
      throw new InvalidArgumentError(command === 'ms' ? 'ms needs a value' : `${command} takes no value`)
    }
    this.hasBody = command === 'ms'
    this.#key = key
    this.#flags = flags
    this.#value = value
  }

  override write(out: Outbox, { meta }: Features): void {
    if (!meta) throw new UnsupportedError('the server has no meta commands')
    const length = this.#value === undefined ? undefined : Buffer.byteLength(this.#value)
    const words = [this.operation, this.#key.text]
    if (length !== undefined) words.push(`${length}`)
    if (this.#key.base64) words.push('b')
    out.text(words.concat(this.#flags).join(' '))
    // me answers what it likes and takes no opaque.
    if (this.operation === 'me') out.endLine()
    else writeMetaEnd(out, this.id)
    if (this.#value === undefined || length === undefined) return
    out.value(this.#value, length)
    out.endLine()
  }

  protected takeReply(reply: Reply): boolean {
    const status = NAMES[reply.status]
    if (status === undefined) throw this.unexpected(reply)
    if (this.operation !== 'me') this.check(reply)
    const flags = reply.text().split(' ')
    const answer: MetaReply = { status, flags: flags.filter((flag) => flag !== '' && flag !== `O${this.id}`) }
    if (reply.status === Status.Value) answer.value = Buffer.from(reply.value())
    this.deliver(answer)
    return true
  }
}

function checkFlag(flag: unknown): void {
  if (typeof flag !== 'string' || !FLAG.test(flag)) throw new InvalidArgumentError(`${String(flag)} is no meta flag`)
  if (RESERVED.includes(flag[0])) throw new InvalidArgumentError(`the flag ${flag[0]} is the client's own`)
}
