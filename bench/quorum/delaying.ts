/** A process between clients and servers, over which every request takes a while longer, as over a network. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { obeyOrders } from '../support/remote.js'

export interface DelayOrder {
  /** Of the servers, on the loopback. */
  ports: number[]
  delayMs: number
}

/** Answered with the ports at which they are reached from now on. */
async function obey({ ports, delayMs }: DelayOrder): Promise<number[]> {
  return Promise.all(ports.map((port) => reachedAt(port, delayMs)))
}

async function reachedAt(port: number, delayMs: number): Promise<number> {
  const listener = createServer({ noDelay: true }, (client) => {
    const server = connect({ port, host: '127.0.0.1', noDelay: true })
    client.on('data', (bytes) => setTimeout(() => server.write(bytes), delayMs))
    server.pipe(client)
    for (const [one, other] of [
      [client, server],
      [server, client],
    ]) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return (listener.address() as AddressInfo).port
}

obeyOrders(obey)
