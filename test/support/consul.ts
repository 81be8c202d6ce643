/** A model of Consul for a test, on a port of its own. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

export interface ConsulServer {
  readonly host: string
  readonly port: number
  readonly address: string
  put(path: string, body: unknown): Promise<unknown>
  /** How many there are. */
  sessions(): Promise<number>
  stop(): Promise<void>
}

/** `leastTtlMs`: as `session_ttl_min` of Consul, which is 10 seconds there. */
export async function startConsul(leastTtlMs = 100): Promise<ConsulServer> {
  const worker = new Worker(new URL('./consul/server.js', import.meta.url), { workerData: leastTtlMs })
  const [port] = await once(worker, 'message')
  const address = `127.0.0.1:${port}`
  return {
    host: '127.0.0.1',
    port,
    address,
    async put(path, body) {
      return (await fetch(`http://${address}${path}`, { method: 'PUT', body: JSON.stringify(body) })).json()
    },
    async sessions() {
      return ((await (await fetch(`http://${address}/v1/session/list`)).json()) as unknown[]).length
    },
    async stop() {
      await worker.terminate()
    },
  }
}
