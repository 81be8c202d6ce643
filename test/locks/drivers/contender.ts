/** Claims, holds and releases one lock again and again, in a thread or process of its own, and tells when it held it. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { type LockDriver, memcached, store } from 'latchkey/locks'
import { Store, type StoreHandle } from 'latchkey/store'
import { claimOf } from './case.js'
import { driverOf, type Engine } from './engines.js'

export interface Contest {
  readonly key: string
  readonly ttlMs: number
  readonly waitMs: number
  readonly rounds: number
  readonly handle?: StoreHandle
  readonly servers?: readonly string[]
  /** Of these servers; memcached by default. */
  readonly engine?: Engine
}

export interface Tenure {
  /** When the claim had been answered, on the machine's monotonic clock. Milliseconds. */
  readonly from: number
  /** Just before the release was sent. */
  readonly to: number
  readonly fence: bigint
}

/** One for all threads and processes of the machine. */
const clock = { now: () => Number(process.hrtime.bigint()) / 1e6 }
const call = { clock, deadlineMs: 20_000 }

async function contend(driver: LockDriver, { key, ttlMs, waitMs, rounds }: Contest): Promise<Tenure[]> {
  const tenures: Tenure[] = []
  while (tenures.length < rounds) {
    const result = await driver.claim(claimOf(key, { ttlMs, waitMs }), call)
    if (result.status === 'busy') {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
      continue
    }
    const { version, fence, from: sentAt, granularityMs } = result.lease
    const from = clock.now()
    if (tenures.length % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    const to = Math.min(clock.now(), sentAt + ttlMs - granularityMs)
    tenures.push({ from, to, fence: fence! })
    await driver.release(key, version, call)
  }
  return tenures
}

function remoteDriver({ servers = [], engine }: Contest): LockDriver {
  return engine === undefined ? memcached({ servers, freshServers: 'trust' }) : driverOf(engine, servers)
}

const contest: Contest | undefined = isMainThread ? JSON.parse(process.argv[2] ?? 'null') : workerData
if (contest?.handle !== undefined || contest?.servers !== undefined) {
  const attached = contest.handle && Store.attach(contest.handle)
  const driver = attached === undefined ? remoteDriver(contest) : store(attached)
  const tenures = await contend(driver, contest)
  await driver.close()
  attached?.close()
  if (parentPort !== null) parentPort.postMessage(tenures)
  else process.send!(tenures)
}
