/** Locks on a model server in virtual time, ready to use. */
import type { LocksOptions } from 'latchkey/locks'
import type { Environment } from '#dist/locks/environment.js'
import { Locks } from '#dist/locks/locks.js'
import { Random } from '../../store/random.js'
import { ModelDriver, type ModelDriverOptions } from './model-driver.js'
import { ModelServer } from './model-server.js'
import { VirtualTime } from './virtual-time.js'

export interface Model {
  readonly time: VirtualTime
  readonly server: ModelServer
  readonly driver: ModelDriver
  readonly locks: Locks
  /** How far its wall clock is ahead. */
  aheadMs: number
}

export interface ModelOptions extends Partial<ModelDriverOptions> {
  readonly granularityMs?: number
  readonly seed?: number
  /** How fast the client's clock goes. Default 1. */
  readonly rate?: number
  /** At first. Default 0. */
  readonly aheadMs?: number
  readonly host?: string
  readonly locks?: LocksOptions
}

export function model(options: ModelOptions = {}): Model {
  const time = options.time ?? new VirtualTime()
  const server = options.server ?? new ModelServer(time, options.granularityMs)
  const driver = new ModelDriver({ ...options, time, server })
  const { aheadMs = 0, host = 'here' } = options
  const own = virtualEnvironment(time, options.seed, options.rate)
  const environment = { ...own, host, wallMs: () => own.wallMs() + made.aheadMs }
  const made: Model = {
    time,
    server,
    driver,
    aheadMs,
    locks: new Locks(driver, { label: 'test', ...options.locks }, environment),
  }
  return made
}

let owners = 0

export function virtualEnvironment(time: VirtualTime, seed = 1, rate = 1): Environment {
  const random = new Random(seed)
  return {
    clock: { now: () => time.now() * rate },
    wallMs: () => 1.7e12 + time.now(),
    timer: (ms, run) => time.timer(ms / rate, run),
    random: () => random.below(1e9) / 1e9,
    owner: () => (++owners).toString(16).padStart(32, '0'),
    host: 'here',
    pid: 1,
  }
}
