/** The kinds of servers that the suite runs against. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { ConnectionDefaults } from 'latchkey/client'
import { startClassicServer } from '../../support/classic-server.js'
import { requirePeer } from '../../support/peers.js'
import { startLatchkey, startMemcached } from '../../support/process.js'
import { tlsBytes, tlsFile } from '../../support/tls.js'
import { startLatchkeyOnSocket, startMemcachedOnSocket } from '../../support/unix-server.js'

export interface StartedServer {
  /** As `createClient` takes it. */
  readonly address: string
  stop(): Promise<unknown>
}

export interface ServerKind {
  readonly name: string
  /** It has meta commands, and the client uses them. */
  readonly meta: boolean
  /** What a client has to know besides the address. */
  readonly options: ConnectionDefaults
  /** Undefined when it is not installed, and the test is marked as skipped. */
  start(t: TestContext): Promise<StartedServer | undefined>
}

const hasMemcached = (t: TestContext) => requirePeer(t, '/usr/bin/memcached', 'apt install memcached')

async function overTcp(server: Promise<{ host: string; port: number; stop(): Promise<unknown> }>) {
  const { host, port, stop } = await server
  return { address: `${host}:${port}`, stop }
}

async function overSocket(server: Promise<{ path: string; stop(): Promise<unknown> }>) {
  const { path, stop } = await server
  return { address: path, stop }
}

type Start = (args: string[]) => Promise<{ host: string; port: number; stop(): Promise<unknown> }>

async function startWithPassword(start: Start): Promise<StartedServer> {
  const dir = mkdtempSync(join(tmpdir(), 'latchkey-auth-'))
  const file = join(dir, 'users')
  writeFileSync(file, 'somebody:word\n')
  const server = await overTcp(start(['-Y', file]))
  const stop = async () => {
    await server.stop()
    rmSync(dir, { recursive: true, force: true })
  }
  return { ...server, stop }
}

const secondKeys = `ssl_chain_cert=${tlsFile('second.pem')},ssl_key=${tlsFile('second-key.pem')}`
const latchkey = () => overTcp(startLatchkey({ threads: 2 }))
const memcached = async (t: TestContext) => (hasMemcached(t) ? overTcp(startMemcached()) : undefined)

export const kinds: readonly ServerKind[] = [
  { name: 'Latchkey', meta: true, options: {}, start: latchkey },
  { name: 'memcached', meta: true, options: {}, start: memcached },
  { name: 'Latchkey, classic protocol', meta: false, options: { protocol: 'classic' }, start: latchkey },
  { name: 'memcached, classic protocol', meta: false, options: { protocol: 'classic' }, start: memcached },
  { name: 'a server without meta commands', meta: false, options: {}, start: () => overTcp(startClassicServer()) },
  {
    name: 'a server without meta commands that claims to be 1.6.18',
    meta: false,
    options: {},
    start: () => overTcp(startClassicServer({ version: '1.6.18' })),
  },
  { name: 'Latchkey on a Unix socket', meta: true, options: {}, start: () => overSocket(startLatchkeyOnSocket()) },
  {
    name: 'memcached on a Unix socket',
    meta: true,
    options: {},
    start: async (t) => (hasMemcached(t) ? overSocket(startMemcachedOnSocket()) : undefined),
  },
  {
    name: 'Latchkey with a password',
    meta: true,
    options: { username: 'somebody', password: 'word' },
    start: () => startWithPassword((args) => startLatchkey({ threads: 2, args })),
  },
  {
    name: 'Latchkey with TLS',
    meta: true,
    options: { tls: { ca: tlsBytes('second.pem') } },
    start: () => overTcp(startLatchkey({ threads: 2, args: ['-Z', '-o', secondKeys] })),
  },
  {
    name: 'memcached with a password',
    meta: true,
    options: { username: 'somebody', password: 'word' },
    start: async (t) => (hasMemcached(t) ? startWithPassword(startMemcached) : undefined),
  },
]
