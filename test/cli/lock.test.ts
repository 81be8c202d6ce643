/** `latchkey lock` as cron and deploy scripts see it: what the command gets, and how it all ends. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Heartbeat, isAlive, until } from './heartbeat.js'
import { children, latchkey, lock, servers } from './lock-process.js'

for (const [kind, start] of servers) {
  test(`on ${kind}`, { timeout: 240_000 }, async (t) => {
    const server = await start(t)
    if (server === undefined) return
    const isFree = (name: string) => latchkey(server, ['locks', 'inspect', name]).status === 1

    await t.test('the command has its lock in the environment, stdin, stdout and stderr', async () => {
      const show = 'cat; echo "$LATCHKEY_NAME $LATCHKEY_OWNER $LATCHKEY_FENCE"; echo complaint >&2; exit 3'
      const run = lock(server, ['env', '--', 'sh', '-c', show])
      run.child.stdin!.end('piped\n')
      assert.equal(await run.ended, 3)
      assert.match(run.stdout(), /^piped\nenv [0-9a-f]{32} [1-9]\d*\n$/)
      assert.equal(run.stderr(), 'complaint\n')
      assert.ok(isFree('env'))
    })

    await t.test('each holder has a greater fence', async () => {
      const fences: bigint[] = []
      for (let i = 0; i < 2; i++) {
        const run = lock(server, ['fence', '--', 'sh', '-c', 'echo $LATCHKEY_FENCE'])
        assert.equal(await run.ended, 0)
        fences.push(BigInt(run.stdout()))
      }
      assert.ok(fences[0] < fences[1], `${fences}`)
    })

    await t.test('options of the command are its own', async () => {
      const run = lock(server, ['args', '--ttl', '10s', '--', 'echo', '-n', '--ttl', '--', '--help', '-V'])
      assert.equal(await run.ended, 0)
      assert.equal(run.stdout(), '--ttl -- --help -V')
    })

    await t.test('exit codes of what does not run', async () => {
      const cases: [args: string[], code: number, words: RegExp][] = [
        [['no', '--', '/no/such/command'], 127, /^latchkey: \/no\/such\/command: not found\n$/],
        [['no', '--', '/etc/passwd'], 126, /^latchkey: \/etc\/passwd: cannot be executed \(EACCES\)\n$/],
        [['no', '--', 'sh', '-c', 'kill -KILL $$'], 137, /^$/],
        [['a b', '--', 'true'], 2, /no spaces/],
        [['no'], 2, /missing required argument/],
        [['no', '--ttl', 'soon', '--', 'true'], 2, /span of time/],
        [['no', '--ttl', '4s', '--kill-after', '3s', '--', 'true'], 2, /more than half of --ttl/],
        [['no', '--ttl', '0', '--', 'true'], 2, /ttl|Expected a span/],
        [['no', '--servers', 'a,,b', '--', 'true'], 2, /a list such as/],
      ]
      for (const [args, code, words] of cases) {
        const run = lock(server, args)
        assert.equal(await run.ended, code, `${args.join(' ')}: ${run.stderr()}`)
        assert.match(run.stderr(), words)
        assert.ok(isFree('no'))
      }
    })

    await t.test('a lock that another holds: 75, or as told; with --wait it is waited for', async () => {
      const heart = new Heartbeat()
      const holder = lock(server, ['busy', '--label', 'the first', '--', ...heart.command])
      await heart.started()
      const [refused, told] = [[], ['-E', '9', '--wait', '100ms']].map((options) =>
        lock(server, ['busy', ...options, '--', 'echo', 'ran']),
      )
      assert.deepEqual([await refused.ended, await told.ended], [75, 9])
      assert.match(refused.stderr(), /^latchkey: busy is held by the first, pid \d+/)
      assert.match(told.stderr(), /^latchkey: busy was not free within 100 ms: held by the first/)
      assert.deepEqual([refused.stdout(), told.stdout()], ['', ''])

      const waiter = lock(server, ['busy', '--verbose', '--wait', 'forever', '--', 'echo', 'ran'])
      await until('it waits', () => waiter.stderr().includes('waiting for busy, held by the first, pid'))
      holder.child.kill('SIGTERM')
      assert.deepEqual([await holder.ended, await waiter.ended, waiter.stdout()], [143, 0, 'ran\n'])
      assert.match(waiter.stderr(), /holding busy, fence \d+\n$/)
    })

    await t.test('a command that ends with 75 itself keeps its code', async () => {
      assert.equal(await lock(server, ['own', '-E', '9', '--', 'sh', '-c', 'exit 75']).ended, 75)
    })

    await t.test('of ten at once one runs', async () => {
      const dir = mkdtempSync(join(tmpdir(), 'latchkey-cron-'))
      const job = `echo ran >> ${dir}/log; while [ ! -e ${dir}/done ]; do sleep 0.02; done`
      const runs = Array.from({ length: 10 }, () => lock(server, ['cron', '--', 'sh', '-c', job]))
      const codes: (number | string)[] = []
      for (const run of runs) void run.ended.then((code) => codes.push(code))
      await until('nine have ended', () => codes.length >= 9)
      writeFileSync(join(dir, 'done'), '')
      await Promise.all(runs.map((run) => run.ended))
      assert.deepEqual(codes, [...Array(9).fill(75), 0])
      assert.equal(readFileSync(join(dir, 'log'), 'utf8'), 'ran\n')
    })

    await t.test('signals go to the command, and the lock is held until that has ended', async () => {
      const dir = mkdtempSync(join(tmpdir(), 'latchkey-signal-'))
      const script = `trap "echo int" INT; trap "echo term; exec sh -c 'while [ ! -e ${dir}/go ]; do sleep 0.02; done; exit 5'" TERM; echo up; while :; do sleep 0.02; done`
      const run = lock(server, ['signals', '--', 'sh', '-c', script])
      await until('it is up', () => run.stdout() === 'up\n')
      run.child.kill('SIGINT')
      await until('SIGINT is answered', () => run.stdout() === 'up\nint\n')
      run.child.kill('SIGTERM')
      await until('SIGTERM is answered', () => run.stdout() === 'up\nint\nterm\n')
      assert.ok(!isFree('signals'))
      writeFileSync(join(dir, 'go'), '')
      assert.equal(await run.ended, 5)
      assert.ok(isFree('signals'))
    })

    await t.test('a signal ends the waiting', async () => {
      const heart = new Heartbeat()
      const holder = lock(server, ['leave', '--', ...heart.command])
      await heart.started()
      const waiter = lock(server, ['leave', '-v', '--wait', 'forever', '--', 'touch', '/no/such/file'])
      await until('it waits', () => waiter.stderr().includes('waiting for leave'))
      waiter.child.kill('SIGINT')
      assert.equal(await waiter.ended, 130)
      holder.child.kill('SIGTERM')
      assert.equal(await holder.ended, 143)
      assert.ok(isFree('leave'))
    })

    await t.test('no process is left behind', async () => {
      const heart = new Heartbeat()
      const run = lock(server, ['tidy', '--', ...heart.command])
      await heart.started()
      const [guard, ...others] = children(run.pid)
      assert.deepEqual(others, [])
      run.child.kill('SIGTERM')
      await run.ended
      assert.ok(!isAlive(guard))
      assert.deepEqual(children(guard), [])
    })
  })
}

test('a server that is down: 69, and nothing runs', async (t) => {
  const server = await servers[0][1](t)
  await server!.stop()
  const mark = join(mkdtempSync(join(tmpdir(), 'latchkey-down-')), 'ran')
  const run = lock(server!, ['down', '--', 'touch', mark])
  assert.equal(await run.ended, 69)
  assert.match(run.stderr(), /^latchkey: .*down cannot be had: .*ECONNREFUSED/)
  assert.ok(!existsSync(mark))
})
