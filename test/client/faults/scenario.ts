/** What goes wrong in a run, drawn from its seed: faults of single connections by plan, and blows dealt by hand. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionFault, Fault, FaultProxy, Mishap } from 'latchkey/torture'
import type { Random } from '../../fuzz/random.js'

/** Bytes that no reply contains. */
const garbage = '!garbage!'
/** Makes a line of another length than any value of a run, behind whose head it might come. */
const echoed = `k${'x'.repeat(100)}`
/** Replies to no request of ours: they lack the opaque, and are none of the classic protocol's. */
const surplus = ['\r\n', ...['HD', 'NS', 'EX'].map((status) => `${status} ${echoed}\r\n`), `VA 1 ${echoed}\r\nx\r\n`]
const longestWaitMs = 12

export interface Scenario {
  readonly name: string
  /** Connection number n of the run; those after the faulty ones are sound. */
  readonly plan: (connection: number) => ConnectionFault
  /** Goes on beside the operations. */
  readonly blows: (proxy: FaultProxy) => Promise<void>
  /** Nothing is lost, only late or in pieces: no operation may fail. */
  readonly harmless: boolean
  /** Replies are changed on their way, so that they may fail to be replies. */
  readonly garbled: boolean
  /** Digits of numbers may be lost on their way: only values tell what they are. */
  readonly digitsLost: boolean
}

type Draw = (random: Random) => Partial<Scenario> & { fault?: ConnectionFault; faulty?: number }

const fates = ['fin', 'rst', 'silence'] as const

const draws: Record<string, Draw> = {
  'late, or in pieces': () => ({ harmless: true }),
  'replies cut short': (random) => ({ fault: { replies: at({ at: offset(random), what: random.pick(fates) }) } }),
  'requests cut short': (random) => ({ fault: { requests: at({ at: offset(random), what: random.pick(fates) }) } }),
  'bytes inserted': (random) => ({
    fault: { replies: at({ at: offset(random), what: 'insert', bytes: garbage }) },
    garbled: true,
  }),
  'a reply too many': (random) => ({
    fault: { replies: at({ at: offset(random), what: 'insert', bytes: random.pick(surplus), afterLine: true }) },
    garbled: true,
  }),
  // Fewer than the shortest reply has: to the classic protocol a lost reply would look like the next one.
  'bytes dropped': (random) => ({
    fault: { replies: at({ at: offset(random), what: 'drop', count: 1 + random.below(3) }) },
    garbled: true,
    digitsLost: true,
  }),
  'closed at once': (random) => ({ fault: { closeAtOnce: random.pick(['fin', 'rst'] as const) } }),
  swallowed: () => ({ fault: { swallow: true } }),
  pauses: (random) => ({ fault: { replies: at({ at: offset(random), what: 'pause', ms: 5 + random.below(120) }) } }),
  'hanging, then not': (random) => {
    const [before, during] = [random.below(longestWaitMs), 5 + random.below(150)]
    return {
      blows: async (proxy) => {
        await sleep(before)
        proxy.hang()
        await sleep(during)
        proxy.resume()
      },
    }
  },
  'all cut, again and again': (random) => {
    const waits = Array.from({ length: 1 + random.below(3) }, () => random.below(longestWaitMs))
    const how = random.pick(['fin', 'rst'] as const)
    return {
      blows: async (proxy) => {
        for (const ms of waits) {
          await sleep(ms)
          proxy.cutAll(how)
        }
      },
    }
  },
  'away, then back': (random) => {
    const [before, during] = [random.below(longestWaitMs), random.below(60)]
    return {
      blows: async (proxy) => {
        await sleep(before)
        await proxy.refuse()
        proxy.cutAll()
        await sleep(during)
        await proxy.accept()
      },
    }
  },
}

export const scenarioNames: readonly string[] = Object.keys(draws)

export function drawScenario(random: Random): Scenario {
  const name = random.pick(scenarioNames)
  const { fault = {}, faulty = 1 + random.below(3), ...rest } = draws[name](random)
  const manner = drawManner(random)
  const bad: ConnectionFault = {
    ...fault,
    requests: { ...manner, ...fault.requests },
    replies: { ...manner, ...fault.replies },
  }
  return {
    name,
    plan: (connection) => (connection < faulty ? bad : {}),
    blows: () => Promise.resolve(),
    harmless: false,
    garbled: false,
    digitsLost: false,
    ...rest,
  }
}

/** Of a run's replies, or requests; early ones hit the handshake. */
function offset(random: Random): number {
  return random.chance(25) ? random.below(45) : random.below(2200)
}

function drawManner(random: Random): Fault {
  if (random.chance(40)) return {}
  if (random.chance(20)) return { bytewise: 20 + random.below(400) }
  if (random.chance(30)) return { delayMs: random.below(6) }
  const cuts = Array.from({ length: 20 }, () => random.below(2000)).sort((one, other) => one - other)
  return { mishaps: cuts.map((cut) => ({ at: cut, what: 'split' })) }
}

function at(mishap: Mishap): Fault {
  return { mishaps: [mishap] }
}
