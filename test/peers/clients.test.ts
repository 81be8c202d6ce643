/**
 * Real clients of other people against Latchkey with four threads. The scripts live beside the project, in
 * `../shared/peers`; each prints a PASS or FAIL line for everything that it checks.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { requireWorking } from '../support/peers.js'
import { type ServerProcess, startLatchkey } from '../support/process.js'
import { projectRoot } from '../support/root.js'

const scripts = join(projectRoot, '../shared/peers')
const python = '/usr/bin/python3'
const patienceMs = 120_000

let server: ServerProcess

before(async () => {
  server = await startLatchkey({ threads: 4 })
})

after(() => server.stop())

test('pymemcache', async (t) => {
  if (!hasScripts(t) || !requireWorking(t, python, ['-c', 'import pymemcache'], 'apt install python3-pymemcache'))
    return
  allPass(await run(python, [join(scripts, 'pymemcache_check.py'), address()]), 62)
})

test('python-memcached', async (t) => {
  if (!hasScripts(t) || !requireWorking(t, python, ['-c', 'import memcache'], 'apt install python3-memcache')) return
  allPass(await run(python, [join(scripts, 'python_memcache_check.py'), address()]), 31)
})

test('PHP: ext-memcache, and ext-memcached on the text protocol', async (t) => {
  const loaded = "exit(extension_loaded('memcache') && extension_loaded('memcached') ? 0 : 1);"
  const packages = 'apt install php-cli php-memcache php-memcached'
  if (!hasScripts(t) || !requireWorking(t, 'php', ['-r', loaded], packages)) return
  const done = await run('php', [join(scripts, 'php_check.php'), address()])
  // Its last part speaks the binary protocol, which the server does not: only what comes before it counts.
  const binary = done.lines.findIndex((line) => /^(PASS|FAIL|INFO) memcached binary /.test(line))
  const text = binary < 0 ? done.lines.filter((line) => !line.startsWith('RESULT')) : done.lines.slice(0, binary)
  allPass({ ...done, code: 0, lines: text }, 45)
  assert.ok(text.includes('PASS memcached text expiry'), 'the text part came to its end')
})

test('memccapable: libmemcached on the text protocol', async (t) => {
  if (!requireWorking(t, 'sh', ['-c', 'command -v memccapable'], 'apt install libmemcached-tools')) return
  const { code, lines, said } = await run('memccapable', ['-a', '-h', server.host, '-p', `${server.port}`])
  const failed = lines.filter((line) => /\[(fail|FAIL)/.test(line))
  assert.deepEqual(failed, [], said)
  assert.ok(lines.filter((line) => line.includes('[pass]')).length >= 27, said)
  assert.equal(code, 0, said)
})

interface Done {
  code: number
  lines: string[]
  /** Everything it wrote, and what the server wrote to stderr. */
  said: string
}

function run(command: string, args: string[]): Promise<Done> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: patienceMs, encoding: 'utf8' }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      const dead = server.alive() ? '' : '\nthe server has died'
      resolve({ code, lines: stdout.split('\n'), said: `${stdout}${stderr}${dead}\n${server.stderr()}` })
    })
  })
}

function allPass({ code, lines, said }: Done, atLeast: number): void {
  assert.deepEqual(
    lines.filter((line) => line.startsWith('FAIL')),
    [],
    said,
  )
  const passed = lines.filter((line) => line.startsWith('PASS')).length
  assert.ok(passed >= atLeast, `only ${passed} checks passed:\n${said}`)
  assert.equal(code, 0, said)
}

function address(): string {
  return `${server.host}:${server.port}`
}

function hasScripts(t: TestContext): boolean {
  if (existsSync(scripts)) return true
  t.skip(`the clients' scripts are not beside the project: no ${scripts}`)
  return false
}
