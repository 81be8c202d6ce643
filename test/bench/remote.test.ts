import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type Obedient, Remote, RemoteThread } from '../../bench/support/remote.js'

const folder = mkdtempSync(join(tmpdir(), 'latchkey-remote-'))
after(() => rmSync(folder, { recursive: true }))

const library = pathToFileURL(join(import.meta.dirname, '../../bench/support/remote.js')).href
const script = join(folder, 'script.mjs')
writeFileSync(
  script,
  `import { obeyOrders } from '${library}'
   obeyOrders(async ({ number }) => {
     if (number === 13) throw new Error('not thirteen')
     if (number === 99) process.exit(0)
     return number === 0 ? undefined : number * 2
   })`,
)

type Doubler = Obedient<{ number: number }, number>

const homes: [string, () => Doubler][] = [
  ['a process', () => new Remote(script, 'the doubler', undefined)],
  ['a thread', () => new RemoteThread(script, 'the doubler')],
]

for (const [where, start] of homes) {
  const withRemote = async (use: (remote: Doubler) => Promise<void>) => {
    const remote = start()
    try {
      await use(remote)
    } finally {
      remote.stop()
    }
  }

  test(`${where}: orders are answered in turn, with a result or without`, () =>
    withRemote(async (remote) => {
      assert.equal(await remote.order({ number: 21 }), 42)
      assert.equal(await remote.order({ number: 0 }), undefined)
      assert.equal(await remote.order({ number: 2 }), 4)
    }))

  test(`${where}: an error rejects with its message, and the other end goes on`, () =>
    withRemote(async (remote) => {
      await assert.rejects(remote.order({ number: 13 }), /the doubler: not thirteen/)
      assert.equal(await remote.order({ number: 1 }), 2)
    }))

  test(`${where}: one that ends rejects the order that it had`, () =>
    withRemote((remote) => assert.rejects(remote.order({ number: 99 }), /the doubler has ended/)))
}
