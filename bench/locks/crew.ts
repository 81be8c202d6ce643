/** A contender's processes, opened against the server that it needs. */
import { join } from 'node:path'
import { Store } from 'latchkey/store'
import { type Obedient, Remote, RemoteThread } from '../support/remote.js'
import { type Contestants, type RunningServer, startRedis } from '../support/servers.js'
import type { Place } from '../support/span.js'
import { contenders, type Home, type LockContender } from './contenders.js'
import type { Target, Terms } from './subjects/subject.js'
import type { Order } from './worker.js'

const workerScript = join(import.meta.dirname, 'worker.js')
const memory = '64mb'

export type Servers = Record<Exclude<Home, 'shared memory'>, RunningServer>

/** Starts all three, on one core or on any, and stops them whatever happens. */
export async function withServers<T>(
  contestants: Contestants,
  core: number | undefined,
  use: (servers: Servers) => Promise<T>,
): Promise<T> {
  const running: RunningServer[] = []
  const started = async (starting: Promise<RunningServer>) => {
    const server = await starting
    running.push(server)
    return server
  }
  const options = { threads: 2, memoryMiB: 64, ...(core === undefined ? {} : { core }) }
  try {
    const redis = await started(startRedis(options))
    const memcached = await started(contestants.memcached(options))
    const latchkey = await started(contestants.latchkey(options))
    return await use({ latchkey, memcached, redis })
  } finally {
    for (const server of running) await server.stop()
  }
}

export function serverOf({ home }: LockContender, servers: Servers): RunningServer | undefined {
  return home === 'shared memory' ? undefined : servers[home]
}

export class Crew {
  readonly contender: LockContender
  readonly #workers: readonly Obedient<Order, unknown>[]

  private constructor(contender: LockContender, workers: readonly Obedient<Order, unknown>[]) {
    this.contender = contender
    this.#workers = workers
  }

  /** `core` pins the workers; without it they roam, and where the locks are in shared memory they are threads. */
  static async open(
    contender: LockContender,
    server: RunningServer | undefined,
    terms: Terms,
    { size, cores, core }: { size: number; cores: readonly number[]; core?: number },
  ): Promise<Crew> {
    const place: Place = { serverPid: server?.pid, cores }
    const target = server === undefined ? sharedTarget(size) : { port: server.port }
    const args = [String(contenders.indexOf(contender))]
    const worker = (): Obedient<Order, unknown> =>
      target.handle === undefined
        ? new Remote(workerScript, contender.name, core, args)
        : new RemoteThread(workerScript, contender.name, args)
    const crew = new Crew(contender, Array.from({ length: size }, worker))
    try {
      await crew.all(() => ({ kind: 'open', target, terms, place }))
    } catch (error) {
      crew.stop()
      throw error
    }
    return crew
  }

  get size(): number {
    return this.#workers.length
  }

  /** To the first worker alone. */
  async one<T>(order: Order): Promise<T> {
    return (await this.#workers[0].order(order)) as T
  }

  all<T>(orderOf: (worker: number) => Order): Promise<T[]> {
    return Promise.all(this.#workers.map(async (worker, at) => (await worker.order(orderOf(at))) as T))
  }

  stop(): void {
    for (const worker of this.#workers) worker.stop()
  }
}

/** A crew of one makes the store for itself; several share one. */
function sharedTarget(size: number): Target {
  return size === 1 ? {} : { handle: new Store({ memory }).handle }
}

/** Opens a crew for each, and stops them whatever happens. */
export async function withCrews<T>(
  all: readonly LockContender[],
  open: (contender: LockContender) => Promise<Crew>,
  use: (crews: readonly Crew[]) => Promise<T>,
): Promise<T> {
  const crews: Crew[] = []
  try {
    for (const contender of all) crews.push(await open(contender))
    return await use(crews)
  } finally {
    for (const crew of crews) crew.stop()
  }
}
