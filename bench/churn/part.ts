import { mebibyte, residentBytes } from '../support/memory.js'
import { type Contestants, type RunningServer, withBoth } from '../support/servers.js'
import { mean, round } from '../support/statistics.js'
import { Churner } from './churner.js'

export interface ChurnSide {
  /** Resident memory beyond -m, in MiB, after each tenth of the sets. */
  beyondLimitMiB: number[]
  finalMiB: number
  /** Mean of the last three samples less the mean of the three before the middle. */
  growthMiB: number
  stable: boolean
  /** Sets that were answered with anything but STORED. */
  refused: number
}

export interface ChurnResult {
  sets: number
  threads: number
  memoryMiB: number
  latchkey: ChurnSide
  memcached: ChurnSide
}

export interface ChurnOptions {
  quick: boolean
  contestants: Contestants
  log: (line: string) => void
}

const memoryMiB = 64
const threads = 4
const connections = 8
const samples = 10
/** Node's own heap breathes by a few MiB between collections. */
const allowedGrowthMiB = 4

export async function runChurnPart(options: ChurnOptions): Promise<ChurnResult> {
  const sets = options.quick ? 1_500_000 : 10_000_000
  return withBoth(options.contestants, { threads, memoryMiB }, async (...servers) => {
    const sides: ChurnSide[] = []
    for (const server of servers) {
      const side = await churn(server, sets, options.log)
      options.log(
        `${server.name}: ${side.beyondLimitMiB.join(' ')} MiB beyond -m ${memoryMiB}, ${side.refused} sets refused`,
      )
      sides.push(side)
    }
    const [latchkey, memcached] = sides
    return { sets, threads, memoryMiB, latchkey, memcached }
  })
}

async function churn(server: RunningServer, sets: number, log: ChurnOptions['log']): Promise<ChurnSide> {
  const churners: Churner[] = []
  while (churners.length < connections) churners.push(await Churner.open(server.port, churners.length))
  const beyond: number[] = []
  for (let sample = 0; sample < samples; sample++) {
    await Promise.all(churners.map((churner) => churner.store(sets / samples / connections)))
    beyond.push(residentBytes(server.pid) / mebibyte - memoryMiB)
  }
  let refused = 0
  for (const churner of churners) {
    churner.close()
    for (const [reply, count] of churner.refusals) {
      log(`${server.name} answered ${count} sets with ${reply}`)
      refused += count
    }
  }
  return judge(beyond, refused)
}

function judge(beyond: readonly number[], refused: number): ChurnSide {
  const middle = samples / 2
  const growthMiB = mean(beyond.slice(-3)) - mean(beyond.slice(middle - 3, middle))
  return {
    beyondLimitMiB: beyond.map((value) => round(value)),
    finalMiB: round(beyond[samples - 1]),
    growthMiB: round(growthMiB),
    refused,
    stable: growthMiB <= allowedGrowthMiB,
  }
}
