import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLatchkey } from '../support/process.js'
import { projectRoot } from '../support/root.js'
import { Wire } from '../support/wire.js'

const main = join(projectRoot, 'dist/cli/main.js')

function run(...args: string[]) {
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', timeout: 20_000 })
}

test('wrong usage ends with 2 and says why', () => {
  const wrong: [args: string[], words: RegExp][] = [
    [['-p', '70000'], /whole number from 0 to 65535/],
    [['-p', 'x'], /whole number/],
    [['-t', '0'], /whole number from 1/],
    [['-m', '-1'], /whole number/],
    [['-I', '12q'], /such as 512k or 4m/],
    [['-U', '11211'], /amplifier/],
    [['-S'], /needs a file .* -Y FILE, or in MEMCACHED_SASL_PWDB/],
    [['-S', '-B', 'ascii', '-Y', 'file'], /rules out/],
    [['-Z'], /needs a certificate/],
    [['-o', 'ssl_chain_cert=cert.pem'], /no effect without -Z/],
    [['-Z', '-o', 'ssl_chain_cert='], /Expected a file/],
    [['-Z', '-o', 'ssl_chain_cert=cert.pem,ssl_verify_mode=2'], /authorities to trust/],
    [['-Z', '-o', 'ssl_verify_mode=4'], /must be one of 0, 1, 2, 3/],
    [['-Z', '-o', 'ssl_min_version=1'], /must be one of 2, 3/],
    [['-l', 'notls:127.0.0.1:11211'], /notls is not supported/],
    [['-d'], /daemons/],
    [['-C'], /CAS/],
    [['-B', 'nonsense'], /binary/],
    [['-o', 'nonsense'], /nonsense is not supported/],
    [['--nonsense'], /unknown option/],
    [['surplus'], /too many arguments/],
    [['-m', '1', '-I', '2m'], /./],
  ]
  for (const [args, words] of wrong) {
    const { status, stderr } = run('serve', '-p', '0', ...args)
    assert.equal(status, 2, `${args.join(' ')}: ${stderr}`)
    assert.match(stderr, words)
  }
})

test('help and version end with 0', () => {
  assert.match(run('serve', '--help').stdout, /--conn-limit/)
  assert.match(run('--help').stdout, /serve/)
  for (const args of [['--version'], ['serve', '-V']]) {
    const { status, stdout } = run(...args)
    assert.equal(status, 0)
    assert.match(stdout, /\d+\.\d+\.\d+/)
  }
})

test('a port in use is named, and ends with 1', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as { port: number }
  const { status, stderr } = run('serve', '-p', String(port))
  other.close()
  assert.equal(status, 1)
  assert.ok(stderr.includes(`127.0.0.1:${port} is in use`), stderr)
})

test('SIGTERM drains and ends with 0; the pid file comes and goes', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'latchkey-cli-'))
  const pidFile = join(dir, 'pid')
  const server = await startLatchkey({ threads: 2, args: ['-P', pidFile, '-o', 'idle_timeout=60', '-U', '0', '-F'] })
  try {
    assert.equal(Number(readFileSync(pidFile, 'utf8')), server.pid)
    const wire = await Wire.open(server)
    await wire.send('flush_all\r\nset a 0 0 1\r\nx\r\n')
    await wire.expect('CLIENT_ERROR flush_all not allowed\r\nSTORED\r\n')
    const ended = server.stop()
    await wire.expectClosed()
    assert.equal(await ended, 0)
    assert.equal(existsSync(pidFile), false)
  } finally {
    await server.stop()
    rmSync(dir, { recursive: true, force: true })
  }
})
