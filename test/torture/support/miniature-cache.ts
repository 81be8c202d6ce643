/** A client as the recipes knew it: each request on its way for some milliseconds, lost where the plan says so. */
import type { Cache, CacheHabits, Incident } from 'latchkey/torture'
import type { VirtualTime } from '../../locks/support/virtual-time.js'
import type { Machine } from './machine.js'
import type { TickServer } from './tick-server.js'

const DEADLINE_MS = 1000
/** All keys are at home on the first server. */
const HOME = 0

interface Blip {
  readonly who: number
  readonly server: number
  readonly from: number
  readonly to: number
}

export interface CacheParts {
  readonly machine: Machine
  readonly servers: readonly TickServer[]
  readonly habits: CacheHabits
  readonly time: VirtualTime
  readonly incidents: readonly Incident[]
  /** Of one way, drawn. */
  readonly wayMs: () => number
}

export class MiniatureCache implements Cache {
  readonly #parts: CacheParts
  readonly #blips: readonly Blip[]
  #sent = 0

  constructor(parts: CacheParts) {
    this.#parts = parts
    this.#blips = parts.incidents.flatMap((each) =>
      each.what === 'blip' ? [{ ...each, from: each.at, to: each.at + each.ms }] : [],
    )
  }

  get = (key: string) => this.#ask((server) => server.get(key)?.value, undefined)
  gets = (key: string) => this.#ask((server) => server.get(key), undefined)
  set = (key: string, value: string, ttlS: number) => this.#ask((server, by) => server.set(key, value, ttlS, by), false)
  add = (key: string, value: string, ttlS: number) => this.#ask((server, by) => server.add(key, value, ttlS, by), false)
  cas = (key: string, value: string, cas: bigint, ttlS: number) =>
    this.#ask((server, by) => server.swap(key, value, cas, ttlS, by), false)
  delete = (key: string) => this.#ask((server, by) => server.delete(key, by), false)

  async #ask<R>(serve: (server: TickServer, by: number) => R, miss: R): Promise<R> {
    const { machine, wayMs, time } = this.#parts
    const nth = this.#sent++
    const server = this.#server()
    if (server === undefined) return this.#error(miss, 'cannot be reached')
    const loss = this.#parts.incidents.find(
      (each) => each.what === 'lose' && each.who === machine.who && each.nth === nth,
    )
    const reply = new Promise<R>((resolve) => {
      // On its way, the request is not the machine's any more.
      time.timer(wayMs(), () => resolve(serve(server, machine.who)))
    })
    const result = await reply
    await machine.wait(loss?.what === 'lose' && !loss.cut ? DEADLINE_MS : wayMs())
    return loss === undefined ? result : this.#error(miss, 'no reply')
  }

  #server(): TickServer | undefined {
    const { servers, habits, time, machine } = this.#parts
    const now = time.now()
    const isCutOff = (server: number) =>
      this.#blips.some(
        (blip) => blip.who === machine.who && blip.server === server && blip.from <= now && now < blip.to,
      )
    const order = habits.dead === 'next server' ? servers.keys() : [HOME]
    const reached = [...order].find((server) => !isCutOff(server))
    return reached === undefined ? undefined : servers[reached]
  }

  #error<R>(miss: R, why: string): R {
    if (this.#parts.habits.errors === 'as a miss') return miss
    throw new Error(why)
  }
}
