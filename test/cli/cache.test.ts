/** The commands that look into a cache, as a person types them, against a server of this machine. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type ServerProcess, startLatchkey } from '../support/process.js'
import { projectRoot } from '../support/root.js'

const main = join(projectRoot, 'dist/cli/main.js')
let server: ServerProcess

before(async () => {
  server = await startLatchkey({ threads: 1 })
})
after(() => server.stop())

function run(args: string[], input?: string | Buffer) {
  const [command, ...rest] = args
  const line = [main, command, '-s', `127.0.0.1:${server.port}`, ...rest]
  return spawnSync(process.execPath, line, {
    encoding: 'utf8',
    timeout: 20_000,
    ...(input === undefined ? {} : { input }),
  })
}

test('set, get and delete', () => {
  assert.deepEqual(outcome(run(['set', 'one', 'first', '--ttl', '60s', '--flags', '7'])), [0, '', ''])
  assert.deepEqual(outcome(run(['get', 'one'])), [0, 'first\n', ''])
  assert.deepEqual(outcome(run(['get', 'one', 'two'])), [1, 'first\n', 'latchkey: two: not found\n'])
  const { one, two } = JSON.parse(run(['get', 'one', 'two', '--json']).stdout)
  assert.deepEqual([one.value, one.bytes, one.flags, two], ['first', 5, 7, null])
  assert.match(one.cas, /^\d+$/)
  assert.ok(one.ttl > 50 && one.ttl <= 60, `ttl ${one.ttl}`)
  assert.deepEqual(outcome(run(['delete', 'one', 'two'])), [1, '', 'latchkey: two: not found\n'])
  assert.deepEqual(JSON.parse(run(['delete', 'one', '--json']).stdout), { one: false })
})

test('a value from stdin, of any bytes', () => {
  const bytes = Buffer.from([0, 255, 10, 13])
  assert.deepEqual(outcome(run(['set', 'bytes', '-'], bytes)), [0, '', ''])
  assert.deepEqual(JSON.parse(run(['get', 'bytes', '--json']).stdout).bytes.value, { base64: bytes.toString('base64') })
})

test('--add and --replace tell whether it was done', () => {
  assert.deepEqual(outcome(run(['set', 'once', '1', '--replace'])), [1, '', 'latchkey: once: not found\n'])
  assert.deepEqual(JSON.parse(run(['set', 'once', '1', '--add', '--json']).stdout), { stored: true })
  assert.deepEqual(outcome(run(['set', 'once', '2', '--add'])), [1, '', 'latchkey: once: is there already\n'])
  assert.deepEqual(outcome(run(['get', 'once'])), [0, '1\n', ''])
})

test('stats, of one server and of several', () => {
  const name = `127.0.0.1:${server.port}`
  const figures = JSON.parse(run(['stats', '--json']).stdout)[name]
  assert.equal(figures.threads, 1)
  assert.equal(typeof figures.version, 'string')
  assert.match(run(['stats', '--group', 'settings']).stdout, /^maxconns +1024$/m)
  const both = spawnSync(process.execPath, [main, 'stats', name, `localhost:${server.port}`], { encoding: 'utf8' })
  assert.match(both.stdout, new RegExp(`^ +${name} +localhost:${server.port}\n`))
  const half = spawnSync(process.execPath, [main, 'stats', name, '127.0.0.1:1', '--json'], { encoding: 'utf8' })
  assert.equal(half.status, 1)
  assert.deepEqual(Object.keys(JSON.parse(half.stdout)), [name])
  assert.match(half.stderr, /^latchkey: no connection to 127\.0\.0\.1:1/)
})

test('what goes wrong is told in one line', () => {
  const wrong: [args: string[], status: number, words: RegExp][] = [
    [['get', 'a key'], 1, /space or control character/],
    [['get', 'a', '--deadline', 'soon'], 2, /number of milliseconds/],
    [['set', 'a', 'b', '--ttl', 'soon'], 1, /not a span of time/],
    [['set', 'a', 'b', '--flags', '-1'], 2, /32 bits/],
    [['set', 'a', 'b', '--add', '--replace'], 2, /cannot be used with/],
    [['set', 'a'], 2, /missing required argument/],
    [['stats', '--group', 'a b'], 1, /no group of statistics/],
  ]
  for (const [args, status, words] of wrong) {
    const result = run(args)
    assert.equal(result.status, status, `${args.join(' ')}: ${result.stderr}`)
    assert.match(result.stderr, words)
  }
  const nowhere = spawnSync(process.execPath, [main, 'get', 'a', '-s', '127.0.0.1:1'], { encoding: 'utf8' })
  assert.deepEqual([nowhere.status, nowhere.stdout], [1, ''])
  assert.match(nowhere.stderr, /^latchkey: no connection to 127\.0\.0\.1:1: .*ECONNREFUSED/)
})

function outcome(result: ReturnType<typeof run>): [number | null, string, string] {
  return [result.status, result.stdout, result.stderr]
}
