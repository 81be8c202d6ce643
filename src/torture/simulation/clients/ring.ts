/** Which server a key belongs to, as our client has it: its own ring, told the servers in whatever order their user has them. */
import { type Client, createClient } from '../../../client/index.js'

type Ring = Pick<Client<unknown>, 'serverOf'>

/** Of clients that are asked for nothing else, and so connect to nobody. */
const rings = new Map<string, Ring>()

export function ringOf(servers: readonly string[]): Ring {
  const list = servers.join()
  const ring = rings.get(list) ?? createClient({ servers: [...servers] })
  rings.set(list, ring)
  return ring
}
