/** The examples of client and locks in the README, and of the pages named here, are compiled and run as they stand, but for the address of the server. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { examplesOf, runTogether } from '../support/examples.js'
import { startLatchkey } from '../support/process.js'

/** And how many of their examples there are at least that need nothing but this server. */
const documents = {
  'README.md': 8,
  'docs/CHOOSING.md': 5,
  'docs/MIGRATING.md': 14,
  'docs/OBSERVING.md': 2,
  'docs/PRIMITIVES.md': 5,
}

/** What an example calls, and leaves to its reader. */
const readersOwn: Readonly<Record<string, string>> = {
  render: `function render(path: string) { return '<h1>' + path + '</h1>' }`,
  write: 'async function write(fence: bigint) { return fence }',
  writeReport: 'async function writeReport(..._: unknown[]) {}',
  work: 'async function work(_signal: AbortSignal) {}',
  transaction: 'async function transaction<T>(run: () => Promise<T>) { return run() }',
  find: 'async function find(customer: string): Promise<string | undefined> { return customer === "bob" ? "7" : undefined }',
  create: `let created = 0
async function create(customer: string, fence: bigint) {
  if (++created > 1) throw new Error('created twice')
  return customer + fence
}`,
  lead: 'async function lead(_fence: bigint, _signal: AbortSignal) {}',
  tick: 'async function tick(_fence: bigint) { await new Promise((resolve) => setTimeout(resolve, 10)) }',
}

test('the examples of the README, and of other pages', async () => {
  // With a state directory: a lock on a server that has just started would have to wait.
  const programs: string[] = []
  const state = mkdtempSync(join(tmpdir(), 'latchkey-readme-'))
  const server = await startLatchkey({ threads: 1, args: ['--state-dir', state] })
  try {
    for (const [document, count] of Object.entries(documents)) {
      const examples = examplesOf(document).filter((code) =>
        /'latchkey\/(client|locks|prometheus|opentelemetry)'/.test(code),
      )
      assert.ok(examples.length >= count, `${document}: ${examples.length} examples`)
      programs.push(...examples.map((code) => runnable(code, server.port)))
    }
    runTogether('readme', programs)
  } finally {
    await server.stop()
    rmSync(state, { recursive: true })
  }
})

/** This server's port for the standard one, this machine for those of the example, and what the reader has to add. */
function runnable(code: string, port: number): string {
  const here = code
    .replaceAll('localhost:11211', `localhost:${port}`)
    .replaceAll('10.0.0.', '127.0.0.')
    .replace(/createClient\(\{ (?!servers)/, `createClient({ servers: 'localhost:${port}', `)
  const own = Object.keys(readersOwn).filter((name) => new RegExp(`\\b${name}\\(`).test(code))
  return [...own.map((name) => readersOwn[name]), here].join('\n')
}
