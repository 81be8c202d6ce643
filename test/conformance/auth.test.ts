/** ASCII authentication, as transcripts: against Latchkey with one thread and with two, and against Debian's memcached. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { requirePeer } from '../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../support/process.js'
import { projectRoot } from '../support/root.js'
import { type Delivery, Player } from './play.js'
import { parseTranscript, type Target } from './transcript.js'

const folder = join(projectRoot, 'test/conformance/transcripts-auth')
const dir = mkdtempSync(join(tmpdir(), 'latchkey-auth-'))
const users = join(dir, 'users')
writeFileSync(users, 'ada:one\nbob:two\neve:p  w\n')
after(() => rmSync(dir, { recursive: true, force: true }))

for (const threads of [1, 2]) {
  test(`latchkey -t ${threads} -Y`, async (t) => {
    const server = await startLatchkey({ threads, args: ['-Y', users] })
    await playAll(t, server, 'latchkey', ['steps', 'bytes', 'batch'])
  })
}

test('memcached -Y', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  await playAll(t, await startMemcached(['-Y', users]), '1.6.18', ['steps'])
})

async function playAll(t: TestContext, server: ServerProcess, target: Target, deliveries: Delivery[]): Promise<void> {
  try {
    for (const name of readdirSync(folder).sort()) {
      const transcript = parseTranscript(name, readFileSync(join(folder, name), 'latin1'), target)
      for (const delivery of deliveries) {
        if (delivery === 'batch' && transcript.noBatch !== undefined) continue
        await t.test(`${name}, ${delivery}`, () => new Player(server, delivery).play(transcript))
      }
    }
  } finally {
    await server.stop()
  }
}
