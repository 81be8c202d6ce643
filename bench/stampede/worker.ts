/** One of the processes of the stampede: many callers of `fetch`, all at once, for one key. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient, text } from 'latchkey/client'
import { obeyOrders } from '../support/remote.js'
import type { Rush } from './measure.js'

export type Order =
  | { kind: 'open'; port: number }
  /** `startsAt` is wall-clock time in milliseconds, the same for all processes. */
  | { kind: 'rush'; key: string; callers: number; computeMs: number; startsAt: number }

const ttl = '60s'
let client: Client<string>

async function obey(order: Order): Promise<Rush | undefined> {
  if (order.kind === 'rush') return rush(order)
  client = createClient({ servers: `127.0.0.1:${order.port}`, codec: text() })
  await client.get('opening')
  return undefined
}

async function rush({ key, callers, computeMs, startsAt }: Order & { kind: 'rush' }): Promise<Rush> {
  let computed = 0
  const compute = async () => {
    const value = `${process.pid}:${computed++}`
    await sleep(computeMs)
    return value
  }
  await sleep(startsAt - wallMs())
  const values = await Promise.all(Array.from({ length: callers }, () => client.fetch(key, ttl, compute)))
  return { computed, lastMs: wallMs() - startsAt, values: [...new Set(values)] }
}

function wallMs(): number {
  return performance.timeOrigin + performance.now()
}

obeyOrders(obey)
