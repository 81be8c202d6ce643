/** An HTTP proxy that loses requests, or replies to requests that were carried out, by number. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** `request`: it never arrives. `reply`: it is carried out, and the connection ends instead of the answer. */
export type Loss = 'request' | 'reply'

export class HttpFaults {
  readonly #server: http.Server
  readonly #target: { host: string; port: number }
  /** What becomes of a request, by its number since the last `from`, and its path. */
  plan: (number: number, path: string) => Loss | undefined = () => undefined
  /** So many have come since `plan` was set by `lose`. */
  count = 0

  private constructor(target: { host: string; port: number }) {
    this.#target = target
    this.#server = http.createServer((request, response) => this.#pass(request, response))
  }

  static async start(target: { host: string; port: number }): Promise<HttpFaults> {
    const proxy = new HttpFaults(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Of the requests from here on, this one; those after it go through. */
  lose(number: number, what: Loss): void {
    this.count = 0
    this.plan = (each) => (each === number ? what : undefined)
  }

  heal(): void {
    this.plan = () => undefined
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const { method, url: path, headers } = request
    const loss = this.plan(this.count++, path!)
    if (loss === 'request') {
      request.socket.destroy()
      return
    }
    const onward = http.request({ ...this.#target, method, path, headers, agent: false }, (reply) => {
      if (loss === 'reply') {
        reply.resume().on('end', () => request.socket.destroy())
        return
      }
      response.writeHead(reply.statusCode!, reply.headers)
      reply.pipe(response)
    })
    onward.on('error', () => request.socket.destroy())
    response.on('close', () => onward.destroy())
    request.pipe(onward)
  }
}
