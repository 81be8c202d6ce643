/** What a server takes of its machine. Linux: read from /proc. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerProcess } from '../support/process.js'
import { Wire } from '../support/wire.js'

export const mebibyte = 1_048_576

export interface Footprint {
  residentMiB: number
  descriptors: number
}

export function footprint({ pid }: ServerProcess): Footprint {
  const resident = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return {
    residentMiB: Math.round((Number(resident?.[1]) * 1024) / mebibyte),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  }
}

const patienceMs = 60_000
/** Node opens one for itself now and then. */
const NODES_OWN = 8

/** Waits until the server has let go of the descriptors that it did not have before. Throws when it does not. */
export async function descriptorsBack(server: ServerProcess, before: Footprint): Promise<Footprint> {
  for (const giveUpAt = performance.now() + patienceMs; ; ) {
    const now = footprint(server)
    if (now.descriptors <= before.descriptors + NODES_OWN) return now
    if (performance.now() > giveUpAt)
      throw new Error(`${now.descriptors} descriptors are open, where there were ${before.descriptors}`)
    await sleep(50)
  }
}

/** Of `stats`, on a server that asks for no password. */
export async function stat(server: ServerProcess, name: string): Promise<number> {
  const wire = await Wire.open(server)
  await wire.send('stats\r\n')
  const text = (await wire.takeUntil('END\r\n')).toString('latin1')
  wire.close()
  return Number(new RegExp(`STAT ${name} (\\d+)`).exec(text)?.[1])
}
