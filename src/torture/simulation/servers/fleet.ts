/** The servers of a run, as they are when it begins. */
import type { Algorithm } from '../../algorithm.js'
import type { Plan } from '../../plan.js'
import { Chance, Draw } from '../chance.js'
import type { VirtualTime } from '../virtual-time.js'
import { Host } from './host.js'
import { Latchkey } from './latchkey.js'
import { Memcached } from './memcached.js'
import type { Note } from './model-server.js'

/** A moment of 2026. */
const EPOCH_S = 1_780_000_000
/** Every server has been running for longer than any lease. */
const UPTIME_S = 86_400
const FIRST_TOKEN = 2n ** 40n

/** Where plans are about the moment before a tick, ticks are those of whole seconds of the run. */
const isInStep = ({ fault }: Script) => fault === 'boundary'

type Script = Pick<Plan, 'seed' | 'fault'>

/** `kind`: what they run on. */
export function hostsOf(
  plan: Script,
  { home, servers = 1 }: Pick<Algorithm, 'home' | 'servers'>,
  time: VirtualTime,
  note: Note,
  kind = Host,
): Host[] {
  return Array.from({ length: servers }, (_, index) => {
    const chance = new Chance(plan.seed, Draw.Server, index)
    const start = home === 'latchkey' ? latchkeys(time, note, chance) : memcacheds(plan, time, note, chance)
    return new kind(index, time, start, () => chance.unit())
  })
}

function memcacheds(plan: Script, time: VirtualTime, note: Note, chance: Chance): (wallAheadMs: number) => Memcached {
  let uptimeS = UPTIME_S
  return (wallAheadMs) => {
    const startedAtS = Math.floor(EPOCH_S + (time.now() + wallAheadMs) / 1000) - uptimeS
    const [phase, late, pid] = [chance.unit(), chance.unit(), chance.unit()]
    const isFirst = uptimeS > 0
    uptimeS = 0
    return new Memcached(time, note, {
      startedAtS,
      uptimeS: isFirst ? UPTIME_S : 0,
      // The first tick of a process comes a second after its start.
      phaseMs: isFirst && !isInStep(plan) ? phase * 1000 : 1000,
      lateMs: isInStep(plan) ? 0 : late * 1000,
      pid: 1 + Math.floor(pid * 30_000),
    })
  }
}

function latchkeys(time: VirtualTime, note: Note, chance: Chance): () => Latchkey {
  const state = { token: FIRST_TOKEN, horizon: 0 }
  return () => {
    const incarnation = Array.from({ length: 4 }, () =>
      Math.floor(chance.unit() * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    )
    return new Latchkey(time, note, state, incarnation.join(''))
  }
}
