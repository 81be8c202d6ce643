/** The names of `stats`: those of both servers against the table, and the document against it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { requirePeer } from '../../support/peers.js'
import { type ServerProcess, startLatchkey, startMemcached } from '../../support/process.js'
import { projectRoot } from '../../support/root.js'
import { Wire } from '../../support/wire.js'
import { type Group, later, type Names, statNames } from './names.js'
import { namesIn, say, statsOf } from './replies.js'

const namesOf = (groups: readonly Group[]) => groups.flatMap(({ names }) => names)
const shared = ({ counted, state, zero }: Names) => [...counted, ...state, ...namesOf(zero)]

async function withServer(starting: Promise<ServerProcess>, use: (wire: Wire) => Promise<void>): Promise<void> {
  const server = await starting
  try {
    const wire = await Wire.open(server)
    await say(wire, 'set a 0 0 1\r\nx')
    await use(wire)
    wire.close()
  } finally {
    await server.stop()
  }
}

test('each name is in the table once', () => {
  for (const names of Object.values(statNames)) {
    const all = [...shared(names), ...namesOf(names.absent), ...names.ours]
    assert.deepEqual(all, [...new Set(all)])
  }
})

test('latchkey has all that the table says, and nothing else; and what memcached_exporter calls a server down for', async () => {
  await withServer(startLatchkey({ threads: 2 }), async (wire) => {
    for (const [kind, names] of Object.entries(statNames)) {
      const stats = await statsOf(wire, kind)
      assert.deepEqual([...namesIn(stats)].sort(), [...shared(names), ...names.ours].sort(), `stats ${kind}`)
      for (const name of namesOf(names.zero)) assert.equal(stats.get(name), '0', name)
    }
    checkNeeded(await statsOf(wire), await statsOf(wire, 'slabs'))
  })
})

/** It wants times of the processor with six decimals, and for each class that is named these counters. */
function checkNeeded(general: Map<string, string>, slabs: Map<string, string>): void {
  const classes = new Set([...slabs.keys()].flatMap((name) => /^\d+(?=:)/.exec(name) ?? []))
  assert.ok(classes.size > 0)
  const needed = ['cmd_set', 'cas_hits', 'cas_badval', 'cas_misses'].map((name) => general.get(name))
  for (const id of classes)
    needed.push(...['cmd_set', 'cas_hits', 'cas_badval'].map((name) => slabs.get(`${id}:${name}`)))
  for (const value of needed) assert.match(String(value), /^\d+$/)
  for (const name of ['rusage_user', 'rusage_system']) assert.match(String(general.get(name)), /^\d+\.\d{6}$/)
}

test('memcached 1.6.18 has no name that is not in the table, and all those that it says are its own', async (t) => {
  if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
  await withServer(startMemcached(), async (wire) => {
    for (const [kind, names] of Object.entries(statNames)) {
      const theirs = [...shared(names), ...namesOf(names.absent)].filter((name) => !later.has(name))
      assert.deepEqual([...namesIn(await statsOf(wire, kind))].sort(), theirs.sort(), `stats ${kind}`)
    }
  })
})

/** Without the part that says of which class. */
const short = (name: string) => `\`${name.replace(/^.*\*:/, '')}\``

test('docs/PROTOCOL.md lists what is absent and what is always zero', () => {
  const rows: string[] = []
  for (const [kind, names] of Object.entries(statNames)) {
    const row = (what: string, { names: listed, why }: Group) =>
      rows.push(`| \`stats${kind && ` ${kind}`}\` | ${what} | ${listed.map(short).join(' ')} | ${why} |`)
    for (const group of names.zero) row('0', group)
    for (const group of names.absent) row('–', group)
  }
  const document = readFileSync(join(projectRoot, 'docs/PROTOCOL.md'), 'utf8')
  assert.ok(document.includes(rows.join('\n')), `docs/PROTOCOL.md is to say:\n\n${rows.join('\n')}\n`)
})
