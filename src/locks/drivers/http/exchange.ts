/** One HTTP request and its answer, which tells apart what was never sent from what was never answered. */
import http, { type Agent, type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | undefined
}

export interface HttpReply {
  readonly status: number
  readonly text: string
}

/** `sent`: the server may have had it, and done it. */
export class HttpFailure extends Error {
  readonly sent: boolean

  constructor(message: string, sent: boolean, cause?: unknown) {
    super(message, { cause })
    this.sent = sent
  }
}

/** Where to, and over which connections. */
export interface Door {
  readonly url: URL
  readonly agent: Agent
}

/** Rejects with HttpFailure, at the latest after `deadlineMs`, and after `connectMs` if there is no connection by then. */
export function exchange(door: Door, request: HttpRequest, connectMs: number, deadlineMs: number): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const outgoing = start(door, request)
    const wasSent = watchSending(outgoing)
    const late = setTimeout(() => outgoing.destroy(new Error(`no answer in ${deadlineMs} ms`)), deadlineMs)
    const unreached = setTimeout(() => {
      if (!wasSent()) outgoing.destroy(new Error(`no connection in ${connectMs} ms`))
    }, connectMs)
    const clear = () => {
      clearTimeout(late)
      clearTimeout(unreached)
    }
    const fail = (error: Error) => {
      clear()
      reject(new HttpFailure(`${door.url.host}: ${error.message}`, wasSent(), error))
    }
    outgoing.on('error', fail)
    outgoing.on('response', (incoming) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (part: string) => {
        text += part
      })
      incoming.on('error', fail)
      incoming.on('end', () => {
        clear()
        resolve({ status: incoming.statusCode ?? 0, text })
      })
    })
  })
}

/**
 * Follows an answer that goes on, line by line. Resolves with true when `onLine` has had enough; with false when the answer ends for
 * whatever reason or cannot be had, after `ms`, or once `signal` aborts. Its connection is closed then.
 */
export function follow(
  door: Door,
  request: HttpRequest,
  onLine: (line: string) => boolean,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return new Promise((resolve) => {
    const outgoing = start(door, request)
    const finish = (enough: boolean) => {
      clearTimeout(over)
      signal?.removeEventListener('abort', end)
      outgoing.destroy()
      resolve(enough)
    }
    const end = () => finish(false)
    const over = setTimeout(end, ms)
    signal?.addEventListener('abort', end, { once: true })
    if (signal?.aborted) end()
    outgoing.on('error', end)
    outgoing.on('close', end)
    outgoing.on('response', (incoming) => byLine(incoming, (line) => onLine(line) && finish(true)))
  })
}

function byLine(incoming: IncomingMessage, onLine: (line: string) => void): void {
  let rest = ''
  incoming.setEncoding('utf8')
  incoming.on('error', () => {})
  incoming.on('data', (part: string) => {
    const lines = (rest + part).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}

function start({ url, agent }: Door, { method, path, headers, body }: HttpRequest): ClientRequest {
  const { request } = url.protocol === 'https:' ? https : http
  const length =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const outgoing = request(new URL(path, url), { method, agent, headers: { ...length, ...headers } })
  outgoing.end(body)
  return outgoing
}

/** Nothing is written before the connection stands, over TLS not before that does. */
function watchSending(outgoing: ClientRequest): () => boolean {
  let socket: (Socket & { encrypted?: boolean }) | undefined
  let stands = false
  outgoing.once('socket', (its) => {
    socket = its
    if (!its.connecting) stands = true
    else
      socket.once(socket.encrypted ? 'secureConnect' : 'connect', () => {
        stands = true
      })
  })
  return () => stands
}
