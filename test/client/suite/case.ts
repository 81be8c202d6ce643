/** One case of the suite: what is true of every kind of server, or why it is not tried on this one. */
import { bytes, type Client, type ClientOptions } from 'latchkey/client'
import type { ServerKind } from './kinds.js'

export interface CaseContext {
  readonly kind: ServerKind
  /** Addresses of the servers, which the cases share. */
  readonly servers: readonly string[]
  /** Shared by the cases, with a key prefix of this case's own. */
  readonly client: Client<string>
  /** Part of every key of this case, for clients without its prefix. */
  readonly prefix: string
  /** One more client of the same servers, closed after the case. Its keys have the case's prefix, unless told otherwise. */
  create(options?: Omit<ClientOptions<string>, 'codec'>): Client<string>
}

export interface Case {
  readonly name: string
  /** Why it is not tried on this kind. */
  readonly skip?: (kind: ServerKind) => string | false
  /** Changes what other cases rely on: runs alone, after them. */
  readonly alone?: boolean
  readonly run: (context: CaseContext) => Promise<void>
}

export const needsMeta = (kind: ServerKind) => !kind.meta && 'the server has no meta commands'

/** The same client for raw bytes. */
export function asBytes(client: Client<string>): Client<Uint8Array> {
  return client.with({ codec: bytes() })
}
