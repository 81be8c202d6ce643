/** Several servers of one cluster, any of which can be asked: the one that answered last, else the next. */
import http from 'node:http'
import https, { type AgentOptions } from 'node:https'
import { inspect } from 'node:util'
import { LockArgumentError } from '../../errors.js'
import { type Door, exchange, follow, HttpFailure, type HttpReply, type HttpRequest } from './exchange.js'

/** What `https` takes: `ca`, `cert`, `key`, … */
export type TlsOptions = Pick<AgentOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized'>

export class Endpoints {
  readonly #doors: readonly Door[]
  #current = 0

  /** Throws LockArgumentError for what is no address. */
  constructor(addresses: string | readonly string[], tls: TlsOptions = {}) {
    const urls = [addresses].flat().map(urlOf)
    if (urls.length === 0) throw new LockArgumentError('there is no endpoint')
    const agents = {
      'http:': new http.Agent({ keepAlive: true }),
      'https:': new https.Agent({ keepAlive: true, ...tls }),
    }
    this.#doors = urls.map((url) => ({ url, agent: agents[url.protocol as 'http:' | 'https:'] }))
  }

  get current(): string {
    return this.#door.url.host
  }

  /** Tried at one after the other as long as nothing was sent. Rejects with HttpFailure, at the latest after `deadlineMs`. */
  async ask(request: HttpRequest, deadlineMs: number): Promise<HttpReply> {
    const until = performance.now() + deadlineMs
    for (let left = this.#doors.length; ; left--) {
      const door = this.#door
      const leftMs = Math.max(1, until - performance.now())
      try {
        return await exchange(door, request, leftMs / Math.max(1, left), leftMs)
      } catch (error) {
        if (door === this.#door) this.next()
        if (!(error instanceof HttpFailure) || error.sent || left <= 1) throw error
      }
    }
  }

  /** As `follow` has it, at the current one. */
  follow(request: HttpRequest, onLine: (line: string) => boolean, ms: number, signal?: AbortSignal): Promise<boolean> {
    return follow(this.#door, request, onLine, ms, signal)
  }

  /** The current one does not answer as it should. */
  next(): void {
    this.#current = (this.#current + 1) % this.#doors.length
  }

  close(): void {
    for (const { agent } of this.#doors) agent.destroy()
  }

  get #door(): Door {
    return this.#doors[this.#current] as Door
  }
}

function urlOf(address: unknown): URL {
  try {
    const text = String(address)
    const url = new URL(text.includes('://') ? text : `http://${text}`)
    if (/^https?:$/.test(url.protocol)) return url
  } catch {
    // Said below.
  }
  throw new LockArgumentError(`an endpoint is an address such as http://localhost:2379, not ${inspect(address)}`)
}
