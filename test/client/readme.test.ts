/** The README's examples of the client are compiled and run as they stand, but for the address of the server. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLatchkey } from '../support/process.js'
import { projectRoot } from '../support/root.js'

const folder = join(projectRoot, 'build/readme')
const tsc = join(projectRoot, 'node_modules/typescript/bin/tsc')

test('the examples of the README', async (t) => {
  const server = await startLatchkey({ threads: 1 })
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  try {
    const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8')
    const blocks = Array.from(readme.matchAll(/```ts\n(.*?)```/gs), ([, code]) => code)
    const examples = blocks.filter((code) => code.includes("'latchkey/client'"))
    assert.equal(examples.length, 5)
    const files = examples.map((code, i) => {
      const file = join(folder, `example-${i + 1}.mts`)
      writeFileSync(file, runnable(code, server.port))
      return file
    })
    const options = [
      '--ignoreConfig',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2024,esnext.disposable',
    ]
    const compiled = spawnSync(process.execPath, [tsc, ...options, '--types', 'node', ...files], {
      encoding: 'utf8',
      cwd: projectRoot,
    })
    assert.equal(compiled.status, 0, compiled.stdout)
    for (const file of files) {
      const run = spawnSync(process.execPath, [file.replace(/mts$/, 'mjs')], { encoding: 'utf8', timeout: 20_000 })
      assert.equal(run.status, 0, `${readFileSync(file, 'utf8')}\n${run.stderr}`)
      t.diagnostic(`${file}: ok`)
    }
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
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
