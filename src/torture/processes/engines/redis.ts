/** Redis, over whichever of the two common clients there is, with everything on disk before it answers. */
import { redis } from '../../../locks/index.js'
import { LaboratoryError } from '../errors.js'
import { lasting } from '../lasting.js'
import type { Program } from '../programs.js'
import { FOREIGN_TTL_S } from '../site.js'
import type { Address } from '../wires.js'
import { startAlone } from './alone.js'
import type { Connected, Engine } from './engine.js'
import { firstMissing, packageFile, programNamed } from './installed.js'
import { said } from './said.js'

const durable = ['--appendonly', 'yes', '--appendfsync', 'always']

const program: Program = {
  name: 'redis-server',
  line: (host, port, directory) => ['redis-server', ...redisArguments(host, port, directory, durable)],
  answers: redisAnswers,
  inMemory: true,
}

export const redisEngine: Engine = {
  missing: () =>
    firstMissing({
      'redis-server': programNamed('redis-server'),
      'npm package ioredis or @redis/client': packageFile('ioredis') ?? packageFile('@redis/client'),
    }),
  start: (count, estate) => startAlone(program, count, estate),
  async connect({ addresses: [address], freshServers, maxLeaseMs: maxLease }) {
    const rules = { freshServers, maxLease }
    return packageFile('ioredis') === undefined ? overNodeRedis(address, rules) : overIoredis(address, rules)
  },
  strangers: {
    set: (key, server) => tell(server, `SET ${key} foreign EX ${FOREIGN_TTL_S}`),
    touch: (key, server) => tell(server, `EXPIRE ${key} ${FOREIGN_TTL_S}`),
    delete: (key, server) => tell(server, `DEL ${key}`),
  },
  flush: (server) => tell(server, 'FLUSHALL'),
  /** Who may use next to nothing refuses whatever takes memory. */
  async full(server, ms) {
    await tell(server, 'CONFIG SET maxmemory 1')
    await lasting(ms)
    await tell(server, 'CONFIG SET maxmemory 0')
  },
}

/** Nothing is on the disk but what `more` says. */
export function redisArguments(host: string, port: number, directory: string, more: readonly string[]): string[] {
  const where = ['--port', `${port}`, '--bind', host, '--protected-mode', 'no', '--dir', directory]
  return [...where, '--save', '', ...more]
}

/** It has read what it has on the disk. */
async function redisAnswers(host: string, port: number): Promise<boolean> {
  return /^\+PONG/.test(await said(host, port, 'PING\r\nQUIT\r\n'))
}

interface Rules {
  readonly freshServers: 'wait' | 'trust'
  readonly maxLease: number
}

async function overIoredis(address: string, rules: Rules): Promise<Connected> {
  const { Redis } = await import('ioredis')
  const client = new Redis(`redis://${address}`, { lazyConnect: true })
  return { driver: redis({ client, ...rules }), close: async () => client.disconnect() }
}

/** Its client is never connected: the driver makes connections of its own. */
async function overNodeRedis(address: string, rules: Rules): Promise<Connected> {
  const { createClient } = await import('@redis/client')
  const client = createClient({ url: `redis://${address}` })
  return { driver: redis({ client, ...rules }), async close() {} }
}

async function tell({ host, port }: Address, command: string): Promise<void> {
  const answer = await said(host, port, `${command}\r\nQUIT\r\n`)
  if (!/^[+:]/.test(answer)) throw new LaboratoryError(`${command}: Redis said ${answer || 'nothing'}`)
}
