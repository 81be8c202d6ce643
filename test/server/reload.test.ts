/** Certificates and passwords that are read again while the server runs. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { type Server, serve } from 'latchkey/server'
import { type Dialled, dial } from '../support/dial.js'
import { startLatchkey } from '../support/process.js'
import { tlsFile } from '../support/tls.js'
import { Wire } from '../support/wire.js'

const dir = mkdtempSync(join(tmpdir(), 'latchkey-reload-'))
const certFile = join(dir, 'cert.pem')
const keyFile = join(dir, 'key.pem')
const authFile = join(dir, 'users')
after(() => rmSync(dir, { recursive: true, force: true }))

function useCertificate(name: '' | 'second-'): void {
  copyFileSync(tlsFile(name === '' ? 'cert.pem' : 'second.pem'), certFile)
  copyFileSync(tlsFile(`${name}key.pem`), keyFile)
}

const usePassword = (password: string) => writeFileSync(authFile, `ada:${password}\n`)

beforeEach(() => {
  useCertificate('')
  usePassword('one')
})

const start = (threads: number) =>
  serve({ port: 0, threads, memory: '16mb', authFile, tls: { certFile, keyFile }, log: () => undefined })
const at = ({ host, port }: { host: string; port: number }): Dialled => ({ host, port, tls: true })

/** On every thread it must be the same: the certificate that new clients see, and the password that they need. */
async function shown(server: Dialled): Promise<string> {
  const found = new Set<string>()
  for (let i = 0; i < 12; i++) {
    const socket = (await dial(server)) as TLSSocket
    found.add(socket.getPeerCertificate().fingerprint256.slice(0, 8))
    socket.destroy()
  }
  return [...found].join()
}

async function login(server: Dialled, password: string): Promise<Wire | undefined> {
  const wire = await Wire.open(server)
  await wire.send(`set key 0 0 ${password.length + 4}\r\nada ${password}\r\n`)
  if ((await wire.takeLine()).toString() === 'STORED\r\n') return wire
  wire.close()
  return undefined
}

async function opens(server: Dialled, password: string): Promise<boolean> {
  const wire = await login(server, password)
  wire?.close()
  return wire !== undefined
}

async function refresh(wire: Wire): Promise<string> {
  await wire.send('refresh_certs\r\n')
  return (await wire.takeLine()).toString()
}

type Use = (server: Server, wire: Wire, before: string) => Promise<void>

async function withClient(use: Use, threads = 3): Promise<void> {
  await using server = await start(threads)
  const wire = await login(at(server), 'one')
  assert.ok(wire)
  await use(server, wire, await shown(at(server)))
  wire.close()
}

test('refresh_certs: who connects from now on sees the new ones on every thread, who is connected stays', () =>
  withClient(async (server, wire, before) => {
    useCertificate('second-')
    usePassword('two')
    assert.equal(await shown(at(server)), before)
    assert.equal(await opens(at(server), 'two'), false)
    assert.equal(await refresh(wire), 'OK\r\n')
    assert.notEqual(await shown(at(server)), before)
    assert.ok((await opens(at(server), 'two')) && !(await opens(at(server), 'one')))
    await wire.send('mn\r\n')
    await wire.expect('MN\r\n')
  }))

test('what cannot be used leaves certificates and passwords as they were, both of them', () =>
  withClient(async (server, wire, before) => {
    const stays = async () => {
      assert.equal(await shown(at(server)), before)
      assert.ok(await opens(at(server), 'one'))
    }
    writeFileSync(certFile, 'garbage')
    assert.match(await refresh(wire), /^Error loading the certificate chain: .*cert\.pem : .*\r\n$/)
    await assert.rejects(server.reload(), { code: 'TLS_FILE' })
    await stays()
    copyFileSync(tlsFile('second.pem'), certFile)
    assert.match(await refresh(wire), /^Error loading the key: .*key\.pem : .*\r\n$/)
    await stays()
    useCertificate('second-')
    writeFileSync(authFile, 'no password\n')
    await assert.rejects(server.reload(), { code: 'PASSWORD_FILE' })
    await stays()
  }))

test('a worker that takes the place of a dead one has what was read last', () =>
  withClient(async (server, _wire, before) => {
    useCertificate('second-')
    usePassword('two')
    await server.reload()
    const now = await shown(at(server))
    assert.notEqual(now, before)
    await server.killWorker(0)
    const back = async () => {
      try {
        return await opens(at(server), 'two')
      } catch {
        return false
      }
    }
    while (!(await back())) await sleep(50)
    assert.equal(await shown(at(server)), now)
  }, 1))

test('time_since_server_cert_refresh begins anew', () =>
  withClient(async (_server, wire) => {
    const stats = async () => {
      await wire.send('stats\r\n')
      const text = (await wire.takeUntil('END\r\n')).toString('latin1')
      const number = (name: string) => Number(new RegExp(`STAT ${name} (\\d+)`).exec(text)?.[1])
      return { uptime: number('uptime'), age: number('time_since_server_cert_refresh') }
    }
    while ((await stats()).uptime < 1) await sleep(50)
    writeFileSync(keyFile, 'garbage')
    await refresh(wire)
    const failed = await stats()
    assert.equal(failed.age, failed.uptime)
    useCertificate('')
    assert.equal(await refresh(wire), 'OK\r\n')
    const done = await stats()
    assert.ok(done.age < done.uptime)
  }))

test('SIGHUP does the same, and tells how it went', async () => {
  const keys = `ssl_chain_cert=${certFile},ssl_key=${keyFile}`
  const server = await startLatchkey({ threads: 2, args: ['-Z', '-o', keys, '-Y', authFile] })
  try {
    const before = await shown(server)
    const hangUp = async (words: RegExp) => {
      process.kill(server.pid, 'SIGHUP')
      while (!words.test(server.stderr())) await sleep(10)
    }
    useCertificate('second-')
    usePassword('two')
    await hangUp(/were read again/)
    assert.notEqual(await shown(server), before)
    assert.ok(await opens(server, 'two'))
    writeFileSync(authFile, '')
    await hangUp(/stay as they were: password file .* is empty/)
    assert.ok(await opens(server, 'two'))
  } finally {
    assert.equal(await server.stop(), 0)
  }
})
