/** The README's examples of client and locks, and that of migrating, are compiled and run as they stand, but for the address of the server. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { examplesOf, runExamples } from '../support/examples.js'
import { startLatchkey } from '../support/process.js'

test('the examples of the README, and of migrating', async () => {
  // With a state directory: a lock on a server that has just started would have to wait.
  const state = mkdtempSync(join(tmpdir(), 'latchkey-readme-'))
  const server = await startLatchkey({ threads: 1, args: ['--state-dir', state] })
  try {
    const all = [...examplesOf('README.md'), ...examplesOf('docs/MIGRATING.md')]
    const examples = all.filter((code) => /'latchkey\/(client|locks)'/.test(code))
    assert.equal(examples.length, 7)
    runExamples(
      'readme',
      examples.map((code) => runnable(code, server.port)),
    )
  } finally {
    await server.stop()
    rmSync(state, { recursive: true })
  }
})

/** This server's port for the standard one, this machine for those of the example, and something to render or to write. */
function runnable(code: string, port: number): string {
  const here = code
    .replace('localhost:11211', `localhost:${port}`)
    .replaceAll('10.0.0.', '127.0.0.')
    .replace(/createClient\(\{ (?!servers)/, `createClient({ servers: 'localhost:${port}', `)
  if (code.includes('write(')) return `${here}\nasync function write(fence: bigint) { return fence }\n`
  return code.includes('render(') ? `${here}\nfunction render(path: string) { return \`<h1>\${path}</h1>\` }\n` : here
}
