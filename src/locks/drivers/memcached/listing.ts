/** The keys of locks on all servers, by a walk over what each of them has. */
import type { Call } from '../../driver.js'
import { isRegister } from '../register.js'
import type { Wire } from './dialect.js'
import { sending } from './outcome.js'

/** Listing is many round trips' work for a server. */
const LIST_DEADLINES = 60

export async function* keysUnder(prefix: string, client: Wire, { deadlineMs, signal }: Call): AsyncGenerator<string> {
  const options = { prefix, deadlineMs: LIST_DEADLINES * deadlineMs, ...(signal && { signal }) }
  const keys = client.keys(options)
  try {
    for (;;) {
      const next = await sending(prefix, 'asks', keys.next())
      if (next.done) return
      const { key, server } = next.value
      // One that belongs to another server is nobody's lock: nobody looks there.
      if (typeof key === 'string' && !isRegister(key) && client.serverOf(key) === server) yield key
    }
  } finally {
    // Whoever has seen enough leaves connections that were made for this.
    await keys.return(undefined)
  }
}
