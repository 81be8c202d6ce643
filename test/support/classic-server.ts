/**
 * A server from before the meta commands: the classic text protocol over a Map, in this process. What it does not know,
 * mg and ms and their like among it, it answers with ERROR, line by line.
 */
import type { Socket } from 'node:net'
import { ClassicStore } from './classic-store.js'
import { type Double, startDouble } from './double.js'

const maxKey = 250
const maxValue = 1_048_576

export interface ClassicServer extends Double {
  /** Items there are, expired ones included. */
  items(): number
  /** The lines of all requests so far, in the order of their arrival, without data. */
  requests(): readonly string[]
}

export interface ClassicOptions {
  /** What it claims to be; `1.6.18` claims meta commands that it does not have. Default 1.4.39. */
  version?: string
}

export async function startClassicServer({ version = '1.4.39' }: ClassicOptions = {}): Promise<ClassicServer> {
  const store = new ClassicStore()
  const requests: string[] = []
  const double = await startDouble((socket) => new Conversation(socket, store, version, requests))
  return { ...double, items: () => store.size, requests: () => requests }
}

class Conversation {
  #input = ''
  #output = ''
  /** Bytes of a refused value that are still to come. */
  #swallow = 0
  #over = false
  readonly #socket: Socket
  readonly #store: ClassicStore
  readonly #version: string
  readonly #requests: string[]

  constructor(socket: Socket, store: ClassicStore, version: string, requests: string[]) {
    this.#socket = socket
    this.#store = store
    this.#version = version
    this.#requests = requests
    socket.setEncoding('latin1')
    socket.on('data', (text) => this.#heard(text as unknown as string))
  }

  #heard(text: string): void {
    this.#input += text
    let more = true
    while (more && !this.#over) more = this.#next()
    if (this.#output !== '') this.#socket.write(this.#output, 'latin1')
    this.#output = ''
    if (this.#over) this.#socket.end()
  }

  /** False when it takes more bytes to go on. */
  #next(): boolean {
    const surplus = Math.min(this.#swallow, this.#input.length)
    this.#swallow -= surplus
    this.#input = this.#input.slice(surplus)
    const end = this.#input.indexOf('\n')
    if (end < 0) return false
    // Not trimEnd: the last byte of a UTF-8 key may look like white space.
    const words = this.#input
      .slice(0, end)
      .replace(/\r$/, '')
      .split(' ')
      .filter((word) => word !== '')
    if (storageCommands.has(words[0])) return this.#storage(words, end + 1)
    this.#requests.push(words.join(' '))
    this.#input = this.#input.slice(end + 1)
    const noreply = words.length > 1 && words.at(-1) === 'noreply'
    if (noreply) words.pop()
    const reply = this.#answer(words)
    if (!noreply) this.#output += reply
    return true
  }

  #storage(words: string[], dataAt: number): boolean {
    const [command, key, flags, exptime, bytes, ...more] = words
    const length = Number(bytes)
    const noreply = more.at(-1) === 'noreply'
    const wanted = command === 'cas' ? 1 : 0
    const say = (reply: string) => {
      if (!noreply) this.#output += `${reply}\r\n`
      return true
    }
    const malformed = !/^\d+$/.test(bytes) || !/^\d+$/.test(flags) || !/^-?\d+$/.test(exptime) || more.length < wanted
    if (malformed || key.length > maxKey || length > maxValue) {
      this.#requests.push(words.join(' '))
      this.#input = this.#input.slice(dataAt)
      // As memcached does: a refused line is only followed by its data when it was understood up to there.
      if (malformed || key.length > maxKey) return say('CLIENT_ERROR bad command line format')
      this.#swallow = length + 2
      this.#store.delete(key)
      return say('SERVER_ERROR object too large for cache')
    }
    if (this.#input.length < dataAt + length + 2) return false
    const data = this.#input.slice(dataAt, dataAt + length)
    const ending = this.#input.slice(dataAt + length, dataAt + length + 2)
    this.#requests.push(words.join(' '))
    this.#input = this.#input.slice(dataAt + length + 2)
    const cas = command === 'cas' ? BigInt(more[0]) : 0n
    if (ending !== '\r\n') return say('CLIENT_ERROR bad data chunk')
    return say(this.#store.store(command, key, { data, flags, exptime: Number(exptime), cas }))
  }

  #answer([command, ...words]: string[]): string {
    if (command === 'quit') {
      this.#over = true
      return ''
    }
    if (command in lists) return this.#list(command, words)
    const answer = single[command]
    if (answer === undefined) return command === 'version' ? `VERSION ${this.#version}\r\n` : 'ERROR\r\n'
    if ((words[0]?.length ?? 0) > maxKey) return 'CLIENT_ERROR bad command line format\r\n'
    return `${answer(this.#store, command, words)}\r\n`
  }

  #list(command: string, words: string[]): string {
    const { tokens, exptimes } = lists[command]
    const keys = words.slice(exptimes)
    if (keys.length === 0) return 'ERROR\r\n'
    if (keys.some((key) => key.length > maxKey)) return 'CLIENT_ERROR bad command line format\r\n'
    const values = keys.map((key) => {
      const item = exptimes === 0 ? this.#store.get(key) : this.#store.touch(key, Number(words[0]))
      if (item === undefined) return ''
      return `VALUE ${key} ${item.flags} ${item.data.length}${tokens ? ` ${item.cas}` : ''}\r\n${item.data}\r\n`
    })
    return `${values.join('')}END\r\n`
  }
}

const storageCommands = new Set(['set', 'add', 'replace', 'append', 'prepend', 'cas'])

const lists: Record<string, { tokens: boolean; exptimes: number }> = {
  get: { tokens: false, exptimes: 0 },
  gets: { tokens: true, exptimes: 0 },
  gat: { tokens: false, exptimes: 1 },
  gats: { tokens: true, exptimes: 1 },
}

const single: Record<string, (store: ClassicStore, command: string, words: string[]) => string> = {
  delete: (store, _, [key]) => (store.delete(key) ? 'DELETED' : 'NOT_FOUND'),
  touch: (store, _, [key, exptime]) => (store.touch(key, Number(exptime)) ? 'TOUCHED' : 'NOT_FOUND'),
  incr: count,
  decr: count,
  verbosity: () => 'OK',
  stats: (store) => statsOf(store),
  flush_all: (store, _, [seconds = '0']) => {
    if (seconds === '0') store.clear()
    else setTimeout(() => store.clear(), Number(seconds) * 1000).unref()
    return 'OK'
  },
}

const startedAt = Math.floor(Date.now() / 1000)

function statsOf(store: ClassicStore): string {
  const time = Math.floor(Date.now() / 1000)
  const rows = { pid: process.pid, uptime: time - startedAt, time, curr_items: store.size }
  return [...Object.entries(rows).map(([name, value]) => `STAT ${name} ${value}`), 'END'].join('\r\n')
}

function count(store: ClassicStore, command: string, [key, delta]: string[]): string {
  if (!/^\d{1,20}$/.test(delta)) return 'CLIENT_ERROR invalid numeric delta argument'
  const result = store.count(command, key, BigInt(delta))
  if (result === undefined) return 'NOT_FOUND'
  return result ?? 'CLIENT_ERROR cannot increment or decrement non-numeric value'
}
