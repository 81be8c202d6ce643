/** Worker threads of a test: started, adopted by the store, and waited for. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Store, StoreHandle } from 'latchkey/store'

export interface CrewData<T> {
  readonly handle: StoreHandle
  /** Number of this worker among its like, from 0 on. */
  readonly number: number
  readonly job: T
}

export function start<T>(store: Store, file: URL, number: number, job: T): Worker {
  const workerData: CrewData<T> = { handle: store.handle, number, job }
  const worker = new Worker(file, { workerData })
  store.adopt(worker)
  return worker
}

/** Runs `count` workers to their ends. Each posts one message: its result. */
export async function runCrew<T, R>(store: Store, file: URL, count: number, job: T): Promise<R[]> {
  const workers = Array.from({ length: count }, (_, number) => start(store, file, number, job))
  return Promise.all(
    workers.map(async (worker) => {
      const exited = once(worker, 'exit')
      const [result] = (await once(worker, 'message')) as [R]
      await exited
      return result
    }),
  )
}
