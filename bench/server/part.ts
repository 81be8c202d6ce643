import { join } from 'node:path'
import { Remote } from '../support/remote.js'
import { type Contestants, type RunningServer, withBoth } from '../support/servers.js'
import { type Case, caseName, casesToRun, type Wire } from './cases.js'
import type { Order } from './generator.js'
import type { Span } from './load.js'
import { type CaseResult, caseResult, honestRatio, wasDisturbed } from './measure.js'

export interface ServerResult {
  threads: number
  connections: number
  cases: CaseResult[]
}

export interface ServerPartOptions {
  wire: Wire
  quick: boolean
  threads: number
  contestants: Contestants
  log: (line: string) => void
}

const generatorScript = join(import.meta.dirname, 'generator.js')
const serverCore = 0
const generatorCore = 1
/** Holds 100,000 values of 1,000 bytes in either server, without room to spare for a server that wastes it. */
const memoryMiB = 256
const quickRuns = { pairs: 16, durationMs: 100 }
const fullRuns = { pairs: 24, durationMs: 120 }
const warmUpMs = 300

export async function runServerPart(options: ServerPartOptions): Promise<ServerResult> {
  const { wire, threads, contestants } = options
  const how = { threads, memoryMiB, core: serverCore, tls: wire === 'tls' }
  const cases = await withBoth(contestants, how, (latchkey, memcached) => measureAll([latchkey, memcached], options))
  return { threads, connections: 50, cases }
}

async function measureAll(servers: RunningServer[], options: ServerPartOptions): Promise<CaseResult[]> {
  const generator = new Remote<Order, Span>(generatorScript, 'the load generator', generatorCore)
  try {
    const targets = servers.map(({ pid, port }) => ({ pid, port }))
    await generator.order({ kind: 'connect', targets, cores: [serverCore, generatorCore], wire: options.wire })
    const results: CaseResult[] = []
    let stored = 0
    for (const one of casesToRun(options.wire, options.quick)) {
      if (one.valueBytes !== stored) await generator.order({ kind: 'store', valueBytes: one.valueBytes })
      stored = one.valueBytes
      const result = await measureCase(generator, one, options.quick)
      options.log(describe(result))
      results.push(result)
    }
    return results
  } finally {
    generator.stop()
  }
}

/**
 * A B, B A, A B …: short runs, so that what drifts (heat, neighbours, the other work of the machine) drifts for both,
 * and turned about, so that neither always comes second. Disturbed pairs are run again, as often as there are pairs.
 */
async function measureCase(generator: Remote<Order, Span>, one: Case, quick: boolean): Promise<CaseResult> {
  const { pairs, durationMs } = quick ? quickRuns : fullRuns
  const taken: Span[][] = []
  let patience = pairs
  await generator.order({ kind: 'prepare', one })
  for (const target of [0, 1]) await generator.order({ kind: 'run', target, durationMs: warmUpMs })
  while (taken.length < pairs) {
    const pair: Span[] = []
    for (const target of taken.length % 2 === 0 ? [0, 1] : [1, 0]) {
      pair[target] = (await generator.order({ kind: 'run', target, durationMs }))!
    }
    if (!pair.some(wasDisturbed) || patience-- <= 0) taken.push(pair)
  }
  return caseResult(
    one,
    taken.map(([latchkey]) => latchkey),
    taken.map(([, memcached]) => memcached),
  )
}

function describe(result: CaseResult): string {
  const { latchkey, memcached } = result
  const side = (figure: typeof latchkey) =>
    `${(figure.opsPerSecond / 1000).toFixed(0)}k/s ${figure.cpuMicrosPerOp} µs (server ${percent(figure.serverCpuShare)}, generator ${percent(figure.generatorCpuShare)}, others ${percent(figure.foreignCpuShare)})`
  const ratios = `throughput × ${result.throughputRatio} (${result.throughputQuartiles.join(' to ')}), CPU × ${result.cpuRatio}, believed × ${honestRatio(result)}`
  return `${caseName(result).padEnd(28)} ${side(latchkey)} | ${side(memcached)} | ${ratios}`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
