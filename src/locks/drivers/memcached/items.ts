/** The four steps that stock memcached has for locks, in meta or in classic commands. */
import type { MetaReply } from '../../../client/index.js'
import { OutcomeUnknownError } from '../../errors.js'
import { asking, changing, type Line } from './dialect.js'
import { sending } from './outcome.js'

export interface Item {
  readonly value: Buffer
  readonly cas: bigint
  /** undefined where the server does not tell, or for no end. */
  readonly leftMs: number | undefined
}

export interface Items {
  /** The token, or undefined where there is something already. */
  add(key: string, value: string, seconds: number): Promise<bigint | undefined>
  /** The new token, or undefined where the item has another one by now, or is gone. */
  swap(key: string, value: string, seconds: number, cas: bigint): Promise<bigint | undefined>
  read(key: string): Promise<Item | undefined>
  remove(key: string, cas: bigint): Promise<boolean>
}

export function itemsOf(line: Line): Items {
  return line.session.meta ? new MetaItems(line) : new ClassicItems(line)
}

class MetaItems implements Items {
  readonly #line: Line

  constructor(line: Line) {
    this.#line = line
  }

  add(key: string, value: string, seconds: number): Promise<bigint | undefined> {
    return sending(key, 'adds', this.#store(key, value, ['ME', `T${seconds}`, 'c']))
  }

  swap(key: string, value: string, seconds: number, cas: bigint): Promise<bigint | undefined> {
    return sending(key, 'changes', this.#store(key, value, [`C${cas}`, `T${seconds}`, 'c']))
  }

  async read(key: string): Promise<Item | undefined> {
    const { client } = this.#line
    const request = client.meta('mg', key, ['v', 'c', 't'], undefined, asking(this.#line))
    const reply = await sending(key, 'asks', request)
    const cas = flagOf(reply, 'c')
    if (reply.value === undefined || cas === undefined) return undefined
    const left = Number(flagOf(reply, 't') ?? -1)
    return { value: reply.value, cas: BigInt(cas), leftMs: left < 0 ? undefined : left * 1000 }
  }

  remove(key: string, cas: bigint): Promise<boolean> {
    return sending(key, 'changes', this.#line.client.delete(key, { ...changing(this.#line), cas }))
  }

  async #store(key: string, value: string, flags: readonly string[]): Promise<bigint | undefined> {
    const reply = await this.#line.client.meta('ms', key, flags, value, changing(this.#line))
    const cas = flagOf(reply, 'c')
    return reply.status === 'HD' && cas !== undefined ? BigInt(cas) : undefined
  }
}

/** What these commands store they do not tell the token of: that is read afterwards. */
class ClassicItems implements Items {
  readonly #line: Line

  constructor(line: Line) {
    this.#line = line
  }

  async add(key: string, value: string, seconds: number): Promise<bigint | undefined> {
    const { client } = this.#line
    const options = { ...changing(this.#line), ttl: seconds * 1000 }
    const added = await sending(key, 'adds', client.add(key, Buffer.from(value), options))
    return added ? this.#tokenOf(key, value) : undefined
  }

  async swap(key: string, value: string, seconds: number, cas: bigint): Promise<bigint | undefined> {
    const { client } = this.#line
    const options = { ...changing(this.#line), ttl: seconds * 1000 }
    const outcome = await sending(key, 'changes', client.cas(key, Buffer.from(value), cas, options))
    return outcome === 'stored' ? this.#tokenOf(key, value) : undefined
  }

  async read(key: string): Promise<Item | undefined> {
    const found = await sending(key, 'asks', this.#line.client.gets(key, asking(this.#line)))
    return found === undefined ? undefined : { ...found, leftMs: undefined }
  }

  remove(key: string, cas: bigint): Promise<boolean> {
    return sending(key, 'changes', this.#line.client.delete(key, { ...changing(this.#line), cas }))
  }

  /** Of what was just stored. Another value, or none, means that it is gone again; no answer, that nobody knows. */
  async #tokenOf(key: string, value: string): Promise<bigint | undefined> {
    try {
      const found = await this.#line.client.gets(key, changing(this.#line))
      return found?.value.equals(Buffer.from(value)) ? found.cas : undefined
    } catch (error) {
      throw new OutcomeUnknownError(error)
    }
  }
}

function flagOf({ flags }: MetaReply, letter: string): string | undefined {
  return flags.find((flag) => flag.startsWith(letter))?.slice(1)
}
