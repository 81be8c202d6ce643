/** etcd, over its JSON gateway. */
import { join } from 'node:path'
import { etcd } from '../../../locks/index.js'
import { ownAddress } from '../../faults/fault-proxy.js'
import { freePorts } from '../free-ports.js'
import type { Program } from '../programs.js'
import { ServerProcess } from '../server-process.js'
import type { Address } from '../wires.js'
import type { Engine } from './engine.js'
import { firstMissing, programNamed } from './installed.js'

/** Where a member listens: for clients, and for the others. */
export interface EtcdPlace extends Address {
  readonly peerPort: number
}

export const etcdEngine: Engine = {
  missing: () => firstMissing({ etcd: programNamed('etcd') }),
  async start(count, estate) {
    const places = await Promise.all(Array.from({ length: count }, placeOf))
    const program = (_: unknown, i: number): Program => ({
      name: 'etcd',
      line: (_host, _port, directory) => ['etcd', ...etcdArguments(places, i, directory)],
      answers: etcdAnswers,
      inMemory: true,
    })
    return ServerProcess.startAll(places.map(program), estate, places)
  },
  connect: async ({ addresses, maxLeaseMs }) => ({
    driver: etcd({ endpoints: addresses, maxLease: maxLeaseMs }),
    async close() {},
  }),
  strangers: { delete: removeAll },
}

/** Of the member `i` of a cluster of those. */
export function etcdArguments(places: readonly EtcdPlace[], i: number, directory: string): string[] {
  const [url, peer] = urlsOf(places[i])
  const cluster = places.map((place, n) => `m${n}=${urlsOf(place)[1]}`).join(',')
  return [
    ...['--name', `m${i}`, '--data-dir', join(directory, 'data')],
    ...['--listen-client-urls', url, '--advertise-client-urls', url],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', cluster],
  ]
}

/** It has a leader. */
export async function etcdAnswers(host: string, port: number): Promise<boolean> {
  const reply = await fetch(`http://${host}:${port}/health`).catch(() => undefined)
  return reply?.ok === true && /true/.test(await reply.text())
}

/** All that stand in the queue of this lock, its holder first. */
async function removeAll(key: string, { host, port }: Address): Promise<void> {
  const [from, to] = [key, `${key}!`].map((text) => Buffer.from(text).toString('base64'))
  const body = JSON.stringify({ key: from, range_end: to })
  await fetch(`http://${host}:${port}/v3/kv/deleterange`, { method: 'POST', body })
}

function urlsOf({ host, port, peerPort }: EtcdPlace): [url: string, peer: string] {
  return [`http://${host}:${port}`, `http://${host}:${peerPort}`]
}

async function placeOf(): Promise<EtcdPlace> {
  const host = ownAddress()
  const [port, peerPort] = await freePorts(2, host)
  return { host, port, peerPort }
}
