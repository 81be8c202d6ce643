/**
 * Uses permits, and reads and writes, in a thread or process of its own, as often as it is told to; what it sees on the way that must not
 * be, it tells. What all share are files: each holder has one while it holds, and a list grows by one with each writer.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort } from 'node:worker_threads'
import { createLocks, type Lock, type LockDriver, type LockGroup, memcached, quorum, store } from 'latchkey/locks'
import { Store, type StoreHandle } from 'latchkey/store'
import type { Engine } from '../drivers/engines.js'

export interface Crowd {
  readonly kind: 'store' | 'memcached' | 'quorum' | Engine
  readonly servers: readonly string[]
  readonly handle?: StoreHandle
  /** For the files. */
  readonly folder: string
  readonly permits: number
  readonly rounds: number
  /** To take one permit and keep it until the process ends. */
  readonly keeps?: boolean
}

/** What one member has to tell: how often it held, and what was wrong. */
export interface Told {
  readonly held: number
  readonly wrong: readonly string[]
}

const TERMS = { ttl: '20s', wait: '1m' } as const
const ASKERS = 2

const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

class Member {
  readonly #crowd: Crowd
  readonly #wrong: string[] = []
  #held = 0

  constructor(crowd: Crowd) {
    this.#crowd = crowd
  }

  async run(): Promise<Told> {
    const attached = this.#crowd.handle && Store.attach(this.#crowd.handle)
    const locks = createLocks(attached === undefined ? await remoteDriver(this.#crowd) : store(attached), {
      deadlineMs: 20_000,
    })
    const { permits, rounds } = this.#crowd
    const semaphore = locks.semaphore('crowd', { permits })
    if (this.#crowd.keeps) {
      await semaphore.acquire({ ttl: '2s' })
      return { held: 1, wrong: [] }
    }
    const readWrite = locks.readWrite('crowd', { readers: permits })
    const ask = async () => {
      for (let round = 0; round < rounds; round++) {
        const several = round % 4 === 3
        const lock = await (several ? semaphore.acquire({ permits: 2, ...TERMS }) : semaphore.acquire(TERMS))
        await this.#work(lock, several ? 2 : 1)
      }
      for (let round = 0; round < rounds; round++) {
        if (round % 3 === 0) await readWrite.usingWrite(TERMS, ({ fence }) => this.#write(fence))
        else await readWrite.usingRead(TERMS, () => this.#read())
      }
    }
    await Promise.all(Array.from({ length: ASKERS }, ask))
    await locks.close()
    attached?.close()
    return { held: this.#held, wrong: this.#wrong }
  }

  async #work(lock: Lock | LockGroup, weight: number): Promise<void> {
    const { folder, permits } = this.#crowd
    const files = Array.from({ length: weight }, () => join(folder, `holds-${process.pid}-${crypto.randomUUID()}`))
    for (const file of files) writeFileSync(file, '')
    const holders = readdirSync(folder).filter((name) => name.startsWith('holds')).length
    if (holders > permits) this.#wrong.push(`${holders} held ${permits} permits`)
    await pass(Math.random() * 3)
    for (const file of files) rmSync(file)
    this.#held++
    if (lock.state !== 'held') this.#wrong.push(`it is ${lock.state}`)
    await lock.release()
  }

  async #write(fence: bigint): Promise<void> {
    const before = this.#list()
    await pass(Math.random() * 3)
    if (before.length > 0 && BigInt(before.at(-1)!) >= fence) this.#wrong.push(`fence ${fence} after ${before.at(-1)}`)
    writeFileSync(this.#file, JSON.stringify([...before, `${fence}`]))
    this.#held++
  }

  async #read(): Promise<void> {
    const before = this.#list()
    await pass(Math.random() * 3)
    if (this.#list().length !== before.length) this.#wrong.push('somebody wrote while it was read')
    this.#held++
  }

  #list(): string[] {
    return existsSync(this.#file) ? JSON.parse(readFileSync(this.#file, 'utf8')) : []
  }

  get #file(): string {
    return join(this.#crowd.folder, 'list')
  }
}

async function remoteDriver({ kind, servers }: Crowd): Promise<LockDriver> {
  if (kind === 'memcached') return memcached({ servers: [...servers], freshServers: 'trust' })
  if (kind === 'quorum') return quorum({ servers: [...servers], freshServers: 'trust' })
  // The clients of all engines take a second to load.
  const { driverOf } = await import('../drivers/engines.js')
  return driverOf(kind as Engine, servers)
}

const tell = (told: Told) => (parentPort === null ? process.send!(told) : parentPort.postMessage(told))
const listen = async (crowd: Crowd) => tell(await new Member(crowd).run())
if (parentPort !== null) parentPort.on('message', listen)
else if (process.send !== undefined) process.on('message', listen)
