/** What real processes cannot do is said before it is tried. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Algorithm, faultKinds, type Laboratory, processes } from 'latchkey/torture'
import { requirePeer } from '../../support/peers.js'
import { startLatchkey, startMemcached } from '../../support/process.js'
import { algorithmNamed } from './tiny.js'
import { tiny } from './tiny-plan.js'

const catalogue = new URL('./tiny.js', import.meta.url).href

function refused(laboratory: Laboratory, algorithm: Algorithm): string[] {
  return faultKinds.filter(({ name }) => laboratory.refuses(algorithm, name) !== undefined).map(({ name }) => name)
}

const virtual = ['clock', 'suspend', 'server-clock']

test('on its own servers only what needs virtual time; threads cannot be stopped, and have no wire', async () => {
  const laboratory = await processes({ catalogue })
  try {
    assert.deepEqual(refused(laboratory, algorithmNamed('tiny-ours-latchkey')), virtual)
    const embedded = refused(laboratory, algorithmNamed('tiny-ours-embedded'))
    assert.ok(
      ['pause', 'restart', 'partition', ...virtual].every((name) => embedded.includes(name)),
      `${embedded}`,
    )
    assert.ok(!['none', 'stall', 'crash', 'flush', 'evict'].some((name) => embedded.includes(name)), `${embedded}`)
    const without: Algorithm = { ...algorithmNamed('tiny-ours-latchkey'), without: ['flush'] }
    assert.notEqual(laboratory.refuses(without, 'flush'), undefined)
    await assert.rejects(laboratory.run(tiny('tiny-ours-latchkey', 'clock')), /only in virtual time/)
    await assert.rejects(laboratory.run(tiny('nobody', 'none')), /there is no nobody/)
  } finally {
    await laboratory.close()
  }
  await assert.rejects(laboratory.run(tiny('tiny-ours-latchkey', 'none')), /closed/)
})

test('on servers of others, whatever would harm them', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached')) return
  const [ours, theirs] = await Promise.all([startLatchkey({ threads: 1 }), startMemcached()])
  const addressOf = ({ host, port }: typeof ours) => `${host}:${port}`
  const onOurs = await processes({ catalogue, servers: [addressOf(ours)] })
  const onTheirs = await processes({ catalogue, servers: [addressOf(theirs)] })
  try {
    const harmful = faultKinds.filter(({ harmless, real }) => !harmless || !real).map(({ name }) => name)
    assert.deepEqual(refused(onOurs, algorithmNamed('tiny-ours-latchkey')), harmful)
    assert.deepEqual(refused(onTheirs, algorithmNamed('tiny-ours-memcached')), harmful)
    const everything = faultKinds.map(({ name }) => name)
    assert.deepEqual(refused(onTheirs, algorithmNamed('tiny-ours-latchkey')), everything)
    assert.deepEqual(refused(onOurs, algorithmNamed('tiny-ours-embedded')), everything)
    assert.deepEqual(refused(onOurs, algorithmNamed('tiny-rehashing')), everything, 'it needs three')
  } finally {
    await Promise.all([onOurs, onTheirs].map((laboratory) => laboratory.close()))
    await Promise.all([ours, theirs].map((server) => server.stop()))
  }
})
