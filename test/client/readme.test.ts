/** The README's examples of the client are compiled and run as they stand, but for the address of the server. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { examplesOf, runExamples } from '../support/examples.js'
import { startLatchkey } from '../support/process.js'

test('the examples of the README', async () => {
  const server = await startLatchkey({ threads: 1 })
  try {
    const examples = examplesOf('README.md').filter((code) => code.includes("'latchkey/client'"))
    assert.equal(examples.length, 5)
    runExamples(
      'readme',
      examples.map((code) => runnable(code, server.port)),
    )
  } finally {
    await server.stop()
  }
})

/** This server's port for the standard one, this machine for those of the example, and something to render. */
function runnable(code: string, port: number): string {
  const here = code
    .replace('localhost:11211', `localhost:${port}`)
    .replaceAll('10.0.0.', '127.0.0.')
    .replace(/createClient\(\{ (?!servers)/, `createClient({ servers: 'localhost:${port}', `)
  return code.includes('render(') ? `${here}\nfunction render(path: string) { return \`<h1>\${path}</h1>\` }\n` : here
}
