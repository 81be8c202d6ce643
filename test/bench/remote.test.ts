import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Remote } from '../../bench/support/remote.js'

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

async function withRemote(use: (remote: Remote<{ number: number }, number>) => Promise<void>): Promise<void> {
  const remote = new Remote<{ number: number }, number>(script, 'the doubler', undefined)
  try {
    await use(remote)
  } finally {
    remote.stop()
  }
}

test('orders are answered in turn, with a result or without', () =>
  withRemote(async (remote) => {
    assert.equal(await remote.order({ number: 21 }), 42)
    assert.equal(await remote.order({ number: 0 }), undefined)
    assert.equal(await remote.order({ number: 2 }), 4)
  }))

test('an error in the process rejects with its message, and the process goes on', () =>
  withRemote(async (remote) => {
    await assert.rejects(remote.order({ number: 13 }), /the doubler: not thirteen/)
    assert.equal(await remote.order({ number: 1 }), 2)
  }))

test('a process that ends rejects the order that it had', () =>
  withRemote((remote) => assert.rejects(remote.order({ number: 99 }), /the doubler has ended/)))
