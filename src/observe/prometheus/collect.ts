/** Metrics of all locks and clients of this thread, from their diagnostics channels. */
import { type Registry, register as standard } from 'prom-client'
import { Subscriptions } from '../subscriptions.js'
import { countCommands } from './client-metrics.js'
import { countLocks } from './lock-metrics.js'
import { Meters } from './meters.js'

/** The upper ends of histograms, in seconds, rising. */
export interface Buckets {
  /** Default 1 ms to 1 minute. */
  readonly wait?: readonly number[]
  /** Default 1 ms to 1 hour. */
  readonly hold?: readonly number[]
  /** Default 0.1 ms to 2.5 s. */
  readonly command?: readonly number[]
}

export interface MetricsOptions {
  /** Default: prom-client's own, `register`. */
  readonly register?: Registry
  /** Put before every name. Default `latchkey_`. */
  readonly prefix?: string
  readonly buckets?: Buckets
  /**
   * What stands for a lock of this name in the label `lock`: one of a few, since each makes series of its own. Called once for each
   * acquisition; one that throws stands for the empty text. Default: there is no such label.
   */
  readonly labelOf?: (name: string) => string
}

export interface CollectedMetrics extends Disposable {
  readonly register: Registry
  /** Listens no more, and takes its metrics out of the register. */
  stop(): void
}

/**
 * Begin before the first connection is opened and the first lock is acquired: what is open or held already is not in the gauges. Throws what
 * prom-client throws, for a name that the register has already or buckets that are none, and then nothing is left in the register.
 */
export function collectMetrics(options: MetricsOptions = {}): CollectedMetrics {
  const { register = standard, prefix = 'latchkey_', buckets = {}, labelOf } = options
  const meters = new Meters(register, prefix)
  const subscriptions = new Subscriptions()
  const stop = () => {
    subscriptions.stop()
    meters.remove()
  }
  try {
    countLocks(meters, subscriptions, buckets, labelOf)
    countCommands(meters, subscriptions, buckets)
  } catch (error) {
    stop()
    throw error
  }
  return { register, stop, [Symbol.dispose]: stop }
}
