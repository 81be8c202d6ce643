/** Which protocol asks for which passwords: `-Y`, `-S`, `-B`. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type ServerProcess, startLatchkey } from '../../support/process.js'
import { Wire } from '../../support/wire.js'

const dir = mkdtempSync(join(tmpdir(), 'latchkey-protocols-'))
const file = join(dir, 'users')
writeFileSync(file, 'ada:one\n')
after(() => rmSync(dir, { recursive: true, force: true }))

const SASL_AUTH = 0x21
const STAT = 0x10
const HEADER_BYTES = 24

function frame(opcode: number, key = '', value = ''): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header[0] = 0x80
  header[1] = opcode
  header.writeUInt16BE(key.length, 2)
  header.writeUInt32BE(key.length + value.length, 8)
  return Buffer.concat([header, Buffer.from(key + value, 'latin1')])
}

/** The status of the reply, or that there was none. */
async function binary(server: ServerProcess, request: Buffer): Promise<number | 'closed'> {
  const wire = await Wire.open(server)
  await wire.send(request)
  const header = await wire.take(HEADER_BYTES)
  wire.close()
  return header.length < HEADER_BYTES ? 'closed' : header.readUInt16BE(6)
}

async function text(server: ServerProcess, request: string): Promise<string> {
  const wire = await Wire.open(server)
  await wire.send(request)
  const line = (await wire.takeLine()).toString()
  wire.close()
  return line === '' ? 'closed' : line.trim()
}

/** What the server makes of each kind of client. */
async function views(server: ServerProcess): Promise<Record<string, unknown>> {
  return {
    text: await text(server, 'mn\r\n'),
    textRight: await text(server, 'set k 0 0 7\r\nada one\r\n'),
    textWrong: await text(server, 'set k 0 0 7\r\nada two\r\n'),
    binary: await binary(server, frame(STAT, 'settings')),
    binaryRight: await binary(server, frame(SASL_AUTH, 'PLAIN', '\0ada\0one')),
    binaryWrong: await binary(server, frame(SASL_AUTH, 'PLAIN', '\0ada\0two')),
  }
}

const AUTH_FAILURE = 0x20
const textAsks = {
  text: 'CLIENT_ERROR unauthenticated',
  textRight: 'STORED',
  textWrong: 'CLIENT_ERROR authentication failure',
}
const textClosed = { text: 'closed', textRight: 'closed', textWrong: 'closed' }
const binaryAsks = { binary: AUTH_FAILURE, binaryRight: 0, binaryWrong: AUTH_FAILURE }
const binaryClosed = { binary: 'closed', binaryRight: 'closed', binaryWrong: 'closed' }

for (const [args, inEnvironment, wanted] of [
  [['-Y', file], false, { ...textAsks, ...binaryAsks }],
  [['-Y', file, '-B', 'ascii'], false, { ...textAsks, ...binaryClosed }],
  [['-Y', file, '-B', 'binary'], false, { ...textClosed, ...binaryAsks }],
  [['-S', '-Y', file], false, { ...textAsks, ...binaryAsks }],
  [['-S'], true, { ...textClosed, ...binaryAsks }],
] as const) {
  const names = args.map((arg) => (arg === file ? 'FILE' : arg)).join(' ')
  test(`${names}${inEnvironment ? ', with MEMCACHED_SASL_PWDB' : ''}`, async () => {
    if (inEnvironment) process.env.MEMCACHED_SASL_PWDB = file
    try {
      const server = await startLatchkey({ threads: 1, args: [...args] })
      delete process.env.MEMCACHED_SASL_PWDB
      assert.deepEqual(await views(server), wanted)
      assert.equal(await server.stop(), 0)
    } finally {
      delete process.env.MEMCACHED_SASL_PWDB
    }
  })
}
