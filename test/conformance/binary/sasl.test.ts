/** SASL, as transcripts: against Latchkey, and against Debian's memcached with Cyrus SASL and a user database of our own. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { opcodes, request, takeResponse } from '../../support/binary.js'
import { requirePeer } from '../../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../../support/process.js'
import { projectRoot } from '../../support/root.js'
import { Wire } from '../../support/wire.js'
import type { Delivery } from '../play.js'
import { readTranscript, type Target } from '../transcript.js'
import { parseStep } from './notation.js'
import { BinaryPlayer } from './play.js'

const folder = join(projectRoot, 'test/conformance/transcripts-sasl')
const dir = mkdtempSync(join(tmpdir(), 'latchkey-sasl-'))
const users = join(dir, 'users')
writeFileSync(users, 'ada:one\nbob:two\n')
after(() => rmSync(dir, { recursive: true, force: true }))

const saslpasswd = '/usr/sbin/saslpasswd2'

for (const threads of [1, 2]) {
  test(`latchkey -t ${threads} with SASL`, async (t) => {
    const server = await startLatchkey({ threads, args: ['-Y', users] })
    await playAll(t, server, 'latchkey', ['steps', 'bytes', 'batch'])
  })
}

test('memcached -S', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  if (!requirePeer(t, saslpasswd, 'apt install sasl2-bin')) return
  const database = join(dir, 'database')
  const made = spawnSync(saslpasswd, ['-p', '-c', '-a', 'memcached', '-u', hostname(), '-f', database, 'ada'], {
    input: 'one',
  })
  assert.equal(made.status, 0, made.stderr.toString())
  writeFileSync(
    join(dir, 'memcached.conf'),
    `mech_list: plain\npwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: ${database}\n`,
  )
  process.env.SASL_CONF_PATH = dir
  const server = await startMemcached(['-S'])
  delete process.env.SASL_CONF_PATH
  await playAll(t, server, '1.6.18', ['steps'])
})

test('the hundredth failure closes', async () => {
  const server = await startLatchkey({ threads: 1, args: ['-Y', users] })
  const wire = await Wire.open(server)
  const wrong = request({ opcode: opcodes.sasl_auth, key: 'PLAIN', value: '\0ada\0two' })
  for (let tries = 0; tries < 100; tries++) {
    await wire.send(wrong)
    assert.equal((await takeResponse(wire))?.status, 0x20)
  }
  await wire.expectClosed()
  const other = await Wire.open(server)
  await other.send(request({ opcode: opcodes.sasl_auth, key: 'PLAIN', value: '\0bob\0two' }))
  assert.equal((await takeResponse(other))?.status, 0)
  await other.send(request({ opcode: opcodes.stat }))
  const stats = new Map<string, string>()
  for (;;) {
    const row = await takeResponse(other)
    if (row === undefined || row.key === '') break
    stats.set(row.key, row.value)
  }
  assert.deepEqual([stats.get('auth_cmds'), stats.get('auth_errors')], ['101', '100'])
  other.close()
  await server.stop()
})

async function playAll(t: TestContext, server: ServerProcess, target: Target, deliveries: Delivery[]): Promise<void> {
  try {
    for (const name of readdirSync(folder).sort()) {
      const transcript = readTranscript(name, readFileSync(join(folder, name), 'latin1'), target, parseStep)
      for (const delivery of deliveries) {
        if (delivery === 'batch' && transcript.noBatch !== undefined) continue
        await t.test(`${name}, ${delivery}`, () => new BinaryPlayer(server, delivery).play(transcript))
      }
    }
  } finally {
    await server.stop()
  }
}
