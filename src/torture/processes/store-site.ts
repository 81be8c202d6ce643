/** A store in shared memory, for participants that are threads of this process. */
import { Store, StoreMemoryError } from '../../store/index.js'
import { Crowd, type Crowded, crowdOut, filler } from './crowd.js'
import { lasting } from './lasting.js'
import { type Home, nowMs } from './messages.js'
import { FOREIGN_TTL_S, type Site, type SiteIncident, type SiteOrder, START_IN_MS } from './site.js'

const MEMORY = '2mb'

export class StoreSite implements Site {
  readonly protocol = 'unknown'
  readonly servers = []
  readonly store: Store
  readonly #fault: SiteOrder['fault']
  readonly #crowd: Crowd

  /** `threads`: that will attach. */
  constructor({ fault }: SiteOrder, threads: number) {
    this.store = new Store({ memory: MEMORY, evict: fault !== 'full', threads: threads + 1 })
    this.#fault = fault
    this.#crowd = new Crowd(crowded(this.store))
  }

  home(): Home {
    return { is: 'store', handle: this.store.handle }
  }

  sawKey(): void {}

  async prepare(): Promise<void> {
    if (this.#fault !== 'full') return
    await this.#crowd.fill()
    await this.#crowd.makeRoom()
  }

  async startAt(): Promise<number> {
    return nowMs() + START_IN_MS
  }

  async suffer(incident: SiteIncident, key: string): Promise<void> {
    if (incident.what === 'flush') this.store.flush()
    if (incident.what === 'evict') await crowdOut(crowded(this.store), key)
    if (incident.what === 'foreign') this.#meddle(incident.how, key)
    if (incident.what === 'full') {
      await this.#crowd.fill()
      await lasting(incident.ms)
      await this.#crowd.makeRoom()
    }
  }

  resume(): void {}

  async close(): Promise<void> {
    this.store.close()
  }

  #meddle(how: 'set' | 'touch' | 'delete', key: string): void {
    if (how === 'set') this.store.set(key, 'foreign', { ttlMs: FOREIGN_TTL_S * 1000 })
    if (how === 'touch') this.store.touch(key, FOREIGN_TTL_S * 1000)
    if (how === 'delete') this.store.delete(key)
  }
}

function crowded(store: Store): Crowded {
  const put = (key: string, bytes: number): boolean => {
    try {
      store.set(key, filler(key, bytes))
      return true
    } catch (error) {
      if (error instanceof StoreMemoryError) return false
      throw error
    }
  }
  return {
    async sizeOf(key) {
      const value = store.get(key)
      return value && value.length + key.length
    },
    put: async (keys, bytes) => keys.filter((key) => put(key, bytes)).length,
    async remove(keys) {
      for (const key of keys) store.delete(key)
    },
  }
}
