/** Several machines with locks on one server, in virtual time. */
import { type Model, type ModelOptions, model } from '../support/model.js'
import { ModelServer } from '../support/model-server.js'
import { VirtualTime } from '../support/virtual-time.js'

export const HOUR_MS = 3_600_000

/** Their hosts are called a, b, c, in this order. */
export function machines(...options: ModelOptions[]): { time: VirtualTime; server: ModelServer; machines: Model[] } {
  const time = new VirtualTime()
  const server = new ModelServer(time)
  const all = options.map((own, i) => model({ time, server, host: 'abc'[i], seed: i + 1, ...own }))
  return { time, server, machines: all }
}

/** Lets time go on until so long after the beginning of an hour, by a clock that is right. */
export async function afterFullHour(time: VirtualTime, ms: number): Promise<void> {
  const { wallMs } = clockOf(time)
  await time.advance(HOUR_MS - (wallMs() % HOUR_MS) + ms)
}

export function clockOf(time: VirtualTime): { wallMs: () => number } {
  return { wallMs: () => 1.7e12 + time.now() }
}

/** Nothing that it sends arrives, and nothing reaches it. */
export function cutOff({ driver }: Model): void {
  driver.fates = () => ({ loss: 'request' })
}

export function reconnect({ driver }: Model): void {
  driver.fates = () => undefined
}
