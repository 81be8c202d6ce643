/** Keys that were written on servers which are not ours. */
import { createClient } from '../../client/index.js'
import { LaboratoryError } from './errors.js'

const DEADLINE_MS = 5000

/** Whole keys. Rejects with LaboratoryError, which names them, when the server does not do it. */
export async function deleteKeys(server: string, keys: readonly string[]): Promise<void> {
  await using client = createClient({ servers: server, deadlineMs: DEADLINE_MS, whenDown: 'wait' })
  try {
    await Promise.all(keys.map((key) => client.delete(key)))
  } catch (cause) {
    const why = (cause as Error).message
    throw new LaboratoryError(`keys may be left on ${server}, ${keys.join(' ')}: ${why}`, { cause })
  }
}
