/** A client as locks need it: values as bytes, keys as they are. */
import type { Client, Codec } from '../../../client/index.js'
import type { Wire } from './dialect.js'

/** Whatever flags somebody has given them. */
const raw: Codec<Buffer> = {
  encode: (data) => ({ data, flags: 0 }),
  decode: (data) => Buffer.from(data),
}

export function rawViewOf(client: Client<unknown>): Wire {
  return client.with({ codec: raw, keyPrefix: '', ttl: 0 })
}
