/** When a server's clock, of whole seconds, goes on. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../../client/index.js'
import { LaboratoryError } from './errors.js'
import { nowMs } from './messages.js'

const SECOND_MS = 1000
/** The first one asks so long before a tick. */
const BEFORE_MS = 80
const ASK_MS = 5
/** A tick may be late. */
const PATIENCE_MS = 5 * SECOND_MS

/** A moment just before one of the next ticks. */
export async function beforeTick(client: Client<string>): Promise<number> {
  const first = await timeOf(client)
  const until = nowMs() + PATIENCE_MS
  while ((await timeOf(client)) === first) {
    if (nowMs() > until) throw new LaboratoryError('the clock of the server does not tick')
    await sleep(ASK_MS)
  }
  return nowMs() + SECOND_MS - BEFORE_MS
}

async function timeOf(client: Client<string>): Promise<string | undefined> {
  const [rows] = (await client.stats()).values()
  return rows?.time
}
