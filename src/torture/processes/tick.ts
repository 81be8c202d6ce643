/** When a server's clock, of whole seconds, goes on. */
import type { Client } from '../../client/index.js'
import { nowMs } from './messages.js'

const SECOND_MS = 1000
/** The first one asks so long before a tick. */
const BEFORE_MS = 80

/** A moment just before one of the next ticks. */
export async function beforeTick(client: Client<string>): Promise<number> {
  const first = await timeOf(client)
  while ((await timeOf(client)) === first);
  return nowMs() + SECOND_MS - BEFORE_MS
}

async function timeOf(client: Client<string>): Promise<string | undefined> {
  const [rows] = (await client.stats()).values()
  return rows?.time
}
