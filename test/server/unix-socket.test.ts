/** Unix sockets: their permissions, and what else may lie at their path. */
import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from 'latchkey/server'
import { tlsFile } from '../support/tls.js'
import { startLatchkeyOnSocket } from '../support/unix-server.js'

let dir: string
let path: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'latchkey-unix-'))
  path = join(dir, 'socket')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const start = (socketPath = path, socketMode = 0o700) =>
  serve({ socketPath, socketMode, threads: 1, memory: '4mb', log: () => undefined })

async function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.write('mn\r\n'))
    socket.on('data', () => socket.destroy())
    socket.on('data', () => resolve(true))
    socket.on('error', () => resolve(false))
  })
}

/** As a server leaves it that was killed. */
async function leaveSocket(): Promise<void> {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(join(dir, 'first'), resolve))
  renameSync(join(dir, 'first'), path)
  await new Promise((resolve) => other.close(resolve))
  assert.ok(lstatSync(path).isSocket())
}

test('its permissions are those asked for, whatever the umask', async () => {
  for (const [umask, mode] of [
    [0o022, 0o777],
    [0o077, 0o666],
    [0o000, 0o700],
    [0o022, 0],
  ] as const) {
    const before = process.umask(umask)
    try {
      await using _server = await start(path, mode)
      assert.equal(statSync(path).mode & 0o777, mode)
    } finally {
      process.umask(before)
    }
  }
})

test('a socket that nobody listens on is replaced', async () => {
  await leaveSocket()
  await using _server = await start()
  assert.ok(await answers())
})

test('what is no socket stays, and says so: a file, a directory, a link', async () => {
  writeFileSync(path, 'precious')
  await assert.rejects(start(), { code: 'EEXIST', message: /is no socket/ })
  assert.equal(readFileSync(path, 'utf8'), 'precious')
  rmSync(path)
  mkdirSync(path)
  await assert.rejects(start(), { code: 'EEXIST' })
  assert.ok(statSync(path).isDirectory())
  rmSync(path, { recursive: true })
  symlinkSync(join(dir, 'elsewhere'), path)
  await assert.rejects(start(), { code: 'EEXIST' })
  assert.ok(lstatSync(path).isSymbolicLink() && !existsSync(join(dir, 'elsewhere')))
})

test('a path that is too long, empty or nowhere is refused', async () => {
  await assert.rejects(start(join(dir, 'x'.repeat(108 - dir.length))), RangeError)
  await assert.rejects(start(''), RangeError)
  await assert.rejects(start(join(dir, 'none', 'socket')), { code: 'ENOENT', message: /none/ })
  await using server = await start(join(dir, 'x'.repeat(106 - dir.length)))
  assert.ok(lstatSync(server.settings.socketPath as string).isSocket())
})

test('at its end a server takes away its own socket only', async () => {
  const server = await start()
  rmSync(path)
  writeFileSync(path, 'somebody else')
  await server.close()
  assert.equal(readFileSync(path, 'utf8'), 'somebody else')
})

test('TLS over it is refused', async () => {
  const tls = { certFile: tlsFile('cert.pem'), keyFile: tlsFile('key.pem') }
  await assert.rejects(serve({ socketPath: path, tls }), RangeError)
})

test('-u: it belongs to the user that the server becomes, and the server to that group', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can become somebody else')
  const server = await startLatchkeyOnSocket(['-u', 'nobody', '-a', '770'])
  try {
    const ids = (name: string) => {
      const status = readFileSync(`/proc/${server.pid}/status`, 'utf8')
      return new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, 'm').exec(status)?.[1]
    }
    // It listens before it becomes somebody else.
    while (ids('Uid')?.startsWith('0')) await sleep(10)
    const { uid, gid, mode } = statSync(server.path)
    assert.ok(uid !== 0 && gid !== 0)
    assert.equal(mode & 0o777, 0o770)
    assert.equal(ids('Uid'), Array(4).fill(uid).join('\t'))
    assert.equal(ids('Gid'), Array(4).fill(gid).join('\t'))
    assert.equal(ids('Groups'), '')
  } finally {
    await server.stop()
  }
})
