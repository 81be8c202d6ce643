/** The lease of `latchkey lock` ends before its command does: the command is dead before another can hold the lock. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Heartbeat, isAlive, until } from './heartbeat.js'
import { children, latchkey, lock, servers } from './lock-process.js'

const LOST = 73
/** The shortest that works on both; from SIGTERM to SIGKILL half a second. */
const short = ['--ttl', '3s', '--kill-after', '500ms']

for (const [kind, start] of servers) {
  test(`on ${kind}`, { timeout: 240_000 }, async (t) => {
    const server = await start(t)
    if (server === undefined) return

    /** Lets the next holder come, and asserts that the command of the first was dead before. */
    async function next(name: string, first: Heartbeat): Promise<void> {
      const heart = new Heartbeat()
      const run = lock(server!, [name, '--wait', '30s', '--', ...heart.command])
      await heart.started()
      await first.ended()
      const [last, then] = [first.beats().at(-1)!, heart.beats()[0]]
      run.child.kill('SIGTERM')
      await run.ended
      assert.ok(last < then, `it beat ${last - then} ms after the next holder's first beat`)
    }

    for (const [what, signal] of [
      ['killed', 'SIGKILL'],
      ['stopped', 'SIGSTOP'],
    ] as const) {
      await t.test(`latchkey is ${what}`, async () => {
        const heart = new Heartbeat()
        const run = lock(server, [what, ...short, '--', ...heart.deaf])
        await heart.started()
        const [guard] = children(run.pid)
        run.child.kill(signal)
        await next(what, heart)
        assert.deepEqual(heart.signals(), ['TERM'])
        if (signal === 'SIGSTOP') {
          run.child.kill('SIGCONT')
          assert.equal(await run.ended, LOST)
          assert.match(run.stderr(), /^latchkey: stopped.*the command is stopped$/m)
        }
        await until('the guard has ended', () => !isAlive(guard))
      })
    }

    await t.test('the lock is deleted', async () => {
      const heart = new Heartbeat()
      const run = lock(server, ['deleted', ...short, '--', ...heart.deaf])
      await heart.started()
      assert.equal(latchkey(server, ['delete', 'latchkey:lock:deleted']).status, 0)
      assert.equal(await run.ended, LOST)
      assert.deepEqual(heart.signals(), ['TERM'])
      assert.match(run.stderr(), /^latchkey: deleted is lost: .*: the command is stopped$/m)
      await heart.ended()
    })

    await t.test('the lock is taken by somebody else, whose it stays', async () => {
      const heart = new Heartbeat()
      const run = lock(server, ['taken', ...short, '--', ...heart.command])
      await heart.started()
      const other = latchkey(server, ['set', 'latchkey:lock:taken'], [`{"o":"${'e'.repeat(32)}","f":"1"}`])
      assert.equal(other.status, 0)
      assert.equal(await run.ended, LOST)
      assert.match(latchkey(server, ['locks', 'inspect', 'taken']).stdout, /owner: +e{32}\n/)
    })

    await t.test('a command that ends while the lock is lost does not hide it', async () => {
      const run = lock(server, ['hidden', '--', 'sh', '-c', 'echo up; read line; exit 0'])
      await until('it runs', () => run.stdout() === 'up\n')
      latchkey(server, ['delete', 'latchkey:lock:hidden'])
      run.child.stdin!.end('\n')
      assert.equal(await run.ended, LOST)
      assert.match(run.stderr(), /hidden was lost while the command ran, which ended with 0/)
    })

    await t.test('--max-hold is over', async () => {
      const heart = new Heartbeat()
      const run = lock(server, ['long', ...short, '--max-hold', '100ms', '--', ...heart.deaf])
      await heart.started()
      await next('long', heart)
      assert.equal(await run.ended, LOST)
      assert.deepEqual(heart.signals(), ['TERM'])
    })

    await t.test('the server hangs', async () => {
      const heart = new Heartbeat()
      const run = lock(server, ['hanging', ...short, '--', ...heart.deaf])
      await heart.started()
      process.kill(server.pid, 'SIGSTOP')
      const leaseEnd = Date.now() + 3000
      try {
        assert.equal(await run.ended, LOST)
      } finally {
        process.kill(server.pid, 'SIGCONT')
      }
      assert.ok(heart.beats().at(-1)! < leaseEnd)
      assert.deepEqual(heart.signals(), ['TERM'])
    })

    await t.test('the server dies', async () => {
      const heart = new Heartbeat()
      const run = lock(server, ['dying', ...short, '--', ...heart.deaf])
      await heart.started()
      process.kill(server.pid, 'SIGKILL')
      const leaseEnd = Date.now() + 3000
      assert.equal(await run.ended, LOST)
      assert.ok(heart.beats().at(-1)! < leaseEnd)
      assert.deepEqual(heart.signals(), ['TERM'])
    })
  })
}
