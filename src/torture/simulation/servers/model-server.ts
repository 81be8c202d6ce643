/**
 * What a memcached server does with its items: the meta commands, as far as anybody here sends them. A flag that is not known is an
 * error of the laboratory's.
 */
import type { Deed } from '../../history.js'
import type { VirtualTime } from '../virtual-time.js'
import { type Answer, clientError, EN, EX, flagOf, HD, NF, NS, type Request, serverError } from './request.js'

export interface Item {
  readonly value: string
  readonly cas: bigint
  /** By whichever clock the server counts lives; Infinity: for ever. */
  readonly end: number
}

/** Whoever has sent a request, as far as the server can tell: the connection. */
export type Caller = object

export type Note = (what: Deed['what'], key: string, by: number | undefined, before?: Item, after?: Item) => void

const KNOWN: Readonly<Record<string, RegExp>> = {
  mg: /^[vctpwT]/,
  ms: /^[cCMTpw]/,
  md: /^C/,
  ma: /^[vcDNJ]/,
}
const NO_MEMORY = serverError('out of memory storing object')
const NOT_NUMERIC = clientError('cannot increment or decrement non-numeric value')
const NUMERIC = /^\d{1,20}$/
const U64 = 2n ** 64n

export abstract class ModelServer {
  abstract readonly version: string
  /** There is no memory for new items. */
  full = false
  protected readonly items = new Map<string, Item>()
  protected readonly time: VirtualTime
  protected readonly note: Note

  constructor(time: VirtualTime, note: Note) {
    this.time = time
    this.note = note
  }

  serve(request: Request, _caller: Caller, answer: (answer: Answer) => void): void {
    answer(this.#answerTo(request))
  }

  /** Nothing more will be sent on this connection, and so nothing of it need wait. */
  leave(_caller: Caller): void {}

  /** The process was stopped, and goes on: how long its timers lag behind what waits to be read is chance. */
  resume(_lagMs: number): void {}

  /** The process is stopped: its timers stand still until `resume`. */
  abstract halt(): void

  /** Nothing of it runs any more. */
  abstract stop(): void

  /** Its memory is gone with it. */
  forget(): void {
    for (const [key, item] of this.items) this.note('forget', key, undefined, item)
    this.items.clear()
  }

  abstract stats(): Record<string, string>

  has(key: string): boolean {
    return this.find(key) !== undefined
  }

  /** What is oldest goes, as far as it may. */
  evict(): void {
    for (const [key, item] of [...this.items]) if (!this.isPinned(key)) this.drop('evict', key, item, undefined)
  }

  protected abstract nextToken(): bigint
  /** The end of a life that begins now. */
  protected abstract endOf(flags: readonly string[]): number
  /** What is left of it, for the reply flag of this letter. */
  protected abstract leftOf(letter: string, item: Item): number

  protected isPinned(_key: string): boolean {
    return false
  }

  protected waitersOf(_key: string): number {
    return 0
  }

  /** As it is now: what is over is not there. */
  protected find(key: string): Item | undefined {
    return this.items.get(key)
  }

  protected put(request: Request, before: Item | undefined, value: string, end: number): Item {
    const item = { value, cas: this.nextToken(), end }
    this.items.set(request.key, item)
    this.note(before === undefined ? 'add' : 'change', request.key, request.by, before, item)
    return item
  }

  /** A new life, and the same token. */
  protected touch(request: Request, before: Item): Item {
    const item = { ...before, end: this.endOf(request.flags) }
    this.items.set(request.key, item)
    this.note('change', request.key, request.by, before, item)
    return item
  }

  protected drop(what: Deed['what'], key: string, item: Item, by: number | undefined): void {
    this.items.delete(key)
    this.note(what, key, by, item)
  }

  /** Why nothing may be stored; undefined: it may. */
  protected refusal(_request: Request, _before: Item | undefined): Answer | undefined {
    return this.full ? NO_MEMORY : undefined
  }

  /** The token of what was not stored is told, which is none. */
  protected notStored(answer: Answer, { flags }: Request): Answer {
    return flags.includes('c') ? { ...answer, flags: ['c0'] } : answer
  }

  protected reply(status: string, request: Request, item: Item, value?: string): Answer {
    const flags: string[] = []
    for (const flag of request.flags) {
      if (flag === 'c') flags.push(`c${item.cas}`)
      else if (flag === 't' || (flag === 'p' && request.command === 'mg')) flags.push(flag + this.leftOf(flag, item))
      else if (flag === 'w') flags.push(`w${this.waitersOf(request.key)}`)
      else if (flag[0] === 'w') flags.push('w0')
    }
    return value === undefined ? { status, flags } : { status, flags, value }
  }

  protected store(request: Request): Answer {
    const { flags } = request
    const before = this.find(request.key)
    const compare = flagOf(flags, 'C')
    const mode = flagOf(flags, 'M') ?? 'S'
    const refused = this.refusal(request, before)
    if (refused !== undefined) return refused
    if (compare !== undefined && before === undefined) return this.notStored(NF, request)
    if (compare !== undefined && BigInt(compare) !== before!.cas) return this.notStored(EX, request)
    if (mode === 'E' && before !== undefined) return this.notStored(NS, request)
    const item = this.put(request, before, request.value!, this.endOf(flags))
    return this.reply('HD', request, item)
  }

  #answerTo(request: Request): Answer {
    check(request)
    switch (request.command) {
      case 'mg':
        return this.#read(request)
      case 'ms':
        return this.store(request)
      case 'md':
        return this.#remove(request)
      case 'ma':
        return this.#count(request)
      case 'stats':
        return { status: 'STATS', flags: [], rows: request.key === 'settings' ? { evictions: 'on' } : this.stats() }
      case 'flush_all':
        for (const [key, item] of [...this.items]) if (!this.isPinned(key)) this.drop('flush', key, item, request.by)
        return HD
    }
  }

  #read(request: Request): Answer {
    const found = this.find(request.key)
    if (found === undefined) return EN
    const item = flagOf(request.flags, 'T') === undefined ? found : this.touch(request, found)
    return request.flags.includes('v') ? this.reply('VA', request, item, item.value) : this.reply('HD', request, item)
  }

  #remove(request: Request): Answer {
    const item = this.find(request.key)
    if (item === undefined) return NF
    const compare = flagOf(request.flags, 'C')
    if (compare !== undefined && BigInt(compare) !== item.cas) return EX
    this.drop('delete', request.key, item, request.by)
    return HD
  }

  #count(request: Request): Answer {
    const { flags } = request
    const before = this.find(request.key)
    const lifeS = flagOf(flags, 'N')
    if (before === undefined && lifeS === undefined) return NF
    if (before === undefined && this.full) return serverError('Out of memory allocating new item')
    if (before !== undefined && !NUMERIC.test(before.value)) return NOT_NUMERIC
    const value =
      before === undefined
        ? BigInt(flagOf(flags, 'J') ?? 0)
        : (BigInt(before.value) + BigInt(flagOf(flags, 'D') ?? 1)) % U64
    const end = before === undefined ? this.endOf([`T${lifeS}`]) : before.end
    const item = this.put(request, before, value.toString(), end)
    return flags.includes('v') ? this.reply('VA', request, item, item.value) : this.reply('HD', request, item)
  }
}

function check({ command, flags }: Request): void {
  const known = KNOWN[command]
  for (const flag of flags) {
    if (known === undefined || !known.test(flag))
      throw new Error(`the model of the server has no ${flag} on ${command}`)
  }
}
