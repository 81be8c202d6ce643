/** `latchkey locks`: what operators see, and what they can take away. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLatchkey } from '../support/process.js'
import { projectRoot } from '../support/root.js'
import { Heartbeat } from './heartbeat.js'
import { latchkey, lock, servers } from './lock-process.js'

for (const [kind, start] of servers) {
  test(`on ${kind}`, { timeout: 120_000 }, async (t) => {
    const server = await start(t)
    if (server === undefined) return
    const locks = (...args: string[]) => latchkey(server, ['locks', ...args])
    const [one, two] = [new Heartbeat(), new Heartbeat()]
    const first = lock(server, ['deploy:web', '--label', 'bell \u0007', '--', ...one.command])
    const second = lock(server, ['nightly', '--', ...two.command])
    await Promise.all([one.started(), two.started()])

    await t.test('ls: a table, by name', () => {
      const { status, stdout } = locks('ls')
      assert.equal(status, 0)
      const [head, ...rows] = stdout.trimEnd().split('\n')
      assert.match(head, /^NAME +HOLDER +HOST +PID +AGE +LEASE +WAITERS +FENCE$/)
      const waiters = kind === 'Latchkey' ? '0' : '-'
      const row = (name: string, label: string, pid: number) =>
        new RegExp(`^${name} +${label} +${hostname()} +${pid} +[\\dms.]+ +[\\ds.]+ +${waiters} +\\d+$`)
      assert.equal(rows.length, 2)
      assert.match(rows[0], row('deploy:web', 'bell \\?', first.pid))
      assert.match(rows[1], row('nightly', 'sh', second.pid))
    })

    await t.test('ls with a prefix, as JSON; nothing held is an empty list', () => {
      const [info, ...others] = JSON.parse(locks('ls', 'deploy:', '--json').stdout)
      assert.deepEqual(others, [])
      const { name, owner, fence, label, host, pid, since, leftMs, waiters } = info
      assert.deepEqual([name, label, host, pid], ['deploy:web', 'bell \u0007', hostname(), first.pid])
      assert.match(`${owner} ${fence}`, /^[0-9a-f]{32} \d+$/)
      assert.ok(Math.abs(Date.now() - Date.parse(since)) < 60_000)
      assert.ok(leftMs > 0 && leftMs <= 31_000)
      assert.equal(waiters, kind === 'Latchkey' ? 0 : null)
      assert.deepEqual(locks('ls', 'nothing'), { status: 0, stdout: '', stderr: '' })
      assert.deepEqual(JSON.parse(locks('ls', 'nothing', '--json').stdout), [])
    })

    await t.test('inspect', () => {
      const { status, stdout } = locks('inspect', 'nightly')
      assert.equal(status, 0)
      assert.match(stdout, new RegExp(`^name: +nightly\nholder: +sh\nhost: .*\npid: +${second.pid}\n`))
      assert.match(stdout, /\nowner: +[0-9a-f]{32}\n$/)
      assert.deepEqual(locks('inspect', 'free'), { status: 1, stdout: '', stderr: 'latchkey: free is not held\n' })
      assert.equal(locks('inspect', 'free', '--json').stdout, 'null\n')
    })

    await t.test('release asks for a condition, and tells from whom it was taken', async () => {
      const { fence } = JSON.parse(locks('inspect', 'nightly', '--json').stdout)
      const holder = `held by sh, pid ${second.pid}, ${hostname()}, fence ${fence}`
      const asked = locks('release', 'nightly')
      assert.equal(asked.status, 2)
      assert.match(asked.stderr, new RegExp(`^latchkey: nightly is ${holder}, .*--force.*--if-fence`))
      const older = locks('release', 'nightly', '--if-fence', '12')
      assert.deepEqual(
        [older.status, older.stderr],
        [1, `latchkey: nightly is ${holder}, not fence 12: it was left alone\n`],
      )
      assert.equal(locks('inspect', 'nightly').status, 0)

      const released = `released; it was ${holder}\n`
      assert.deepEqual(locks('release', 'nightly', '--if-fence', fence), {
        status: 0,
        stdout: `nightly ${released}`,
        stderr: '',
      })
      assert.equal(locks('inspect', 'nightly').status, 1)
      assert.equal(locks('release', 'deploy:web', '--force').status, 0)
      assert.equal(locks('release', 'deploy:web', '--force').status, 1)
      assert.deepEqual([await first.ended, await second.ended], [73, 73])
    })

    await t.test('what goes wrong', () => {
      assert.equal(locks('release', 'x', '--if-fence', 'new').status, 2)
      assert.equal(locks('inspect', 'a b').status, 2)
      assert.equal(locks('lose').status, 2)
      const down = latchkey({ ...server, port: 1 }, ['locks', 'ls'])
      assert.equal(down.status, 69)
      assert.match(down.stderr, /^latchkey: .*ECONNREFUSED/)
    })
  })
}

test('a reader of the output that has gone is no trouble', async (t) => {
  const server = await startLatchkey({ threads: 1 })
  t.after(() => server.stop())
  const main = join(projectRoot, 'dist/cli/main.js')
  const line = `(sleep 0.5; exec "$0" "$1" stats -s ${server.host}:${server.port}; ) | true`
  const { stderr } = spawnSync('sh', ['-c', line, process.execPath, main], { encoding: 'utf8', timeout: 20_000 })
  assert.equal(stderr, '')
})
