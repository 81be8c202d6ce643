/** Over which connection a key's server is asked: each request is tied to one, whose server was looked at. */
import type { Call } from '../../driver.js'
import type { Line, Wire } from './dialect.js'
import { sending } from './outcome.js'

export class Lines {
  readonly #client: Wire

  constructor(client: Wire) {
    this.#client = client
  }

  /** Where there is a connection already nobody has to wait for it. */
  now(key: string, call: Call): Line | undefined {
    const session = this.#client.currentSession(key)
    if (session === undefined || call.signal?.aborted) return undefined
    return { client: this.#client, session, call }
  }

  get(key: string, call: Call): Promise<Line> {
    return lineOf(this.#client, key, call)
  }
}

export async function lineOf(client: Wire, key: string, call: Call): Promise<Line> {
  const { deadlineMs, signal } = call
  const options = signal === undefined ? { deadlineMs } : { deadlineMs, signal }
  const session = await sending(key, 'asks', client.session(key, options))
  return { client, session, call }
}
