/** The guard with real processes, and a lock that only the test knows of. */
import assert from 'node:assert/strict'
import { type ChildProcess, type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Heartbeat, isAlive, until } from '../heartbeat.js'
import { children } from '../lock-process.js'

const holder = join(import.meta.dirname, 'holder.js')

interface Run {
  readonly child: ChildProcess
  /** Everything it has written to stdout. */
  readonly output: Promise<string>
  readonly errors: () => string
}

function hold(
  leaseMs: number,
  renewal: 'renew' | 'once',
  killAfterMs: number,
  command: readonly string[],
  stderr: 'pipe' | number = 'pipe',
): Run {
  const child = spawn(process.execPath, [holder, `${leaseMs}`, renewal, `${killAfterMs}`, ...command], {
    stdio: ['pipe', 'pipe', stderr],
  }) as ChildProcessWithoutNullStreams
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    errors += text
  })
  return {
    child,
    output: child.stdout
      .setEncoding('utf8')
      .toArray()
      .then((all) => all.join('')),
    errors: () => errors,
  }
}

/** The last line of a holder's output: how it ended. */
async function ending(run: Run): Promise<Record<string, unknown>> {
  const { leftMs: _, ...how } = JSON.parse((await run.output).trim().split('\n').at(-1)!)
  return how
}

test('the command has stdin, stdout and the environment; its exit code comes back', async () => {
  const run = hold(5000, 'renew', 200, [
    'sh',
    '-c',
    'cat; echo "$LATCHKEY_NAME $LATCHKEY_OWNER $LATCHKEY_FENCE"; exit 7',
  ])
  run.child.stdin!.end('what was piped\n')
  const [piped, environment, told] = (await run.output).split('\n')
  assert.deepEqual([piped, environment], ['what was piped', `backup ${'f'.repeat(32)} 77`])
  assert.match(told, /"how":"exit","code":7/)
})

test('what cannot be run', async () => {
  const missing = await ending(hold(5000, 'renew', 200, ['/no/such/command']))
  assert.deepEqual([missing.how, missing.errno], ['error', 'ENOENT'])
  const notExecutable = await ending(hold(5000, 'renew', 200, ['/etc/passwd']))
  assert.deepEqual([notExecutable.how, notExecutable.errno], ['error', 'EACCES'])
})

test('a lease that is too short for the time from SIGTERM to SIGKILL runs nothing', async () => {
  assert.deepEqual(await ending(hold(300, 'once', 300, ['echo', 'ran'])), { how: 'stopped', started: false })
})

test('a command that ends by a signal', async () => {
  const run = hold(5000, 'renew', 200, ['sh', '-c', 'kill -USR1 $$'])
  assert.deepEqual(await ending(run), { how: 'signal', signal: 'SIGUSR1' })
})

test('as long as the lease is renewed the command runs', async () => {
  const run = hold(1500, 'renew', 100, ['sh', '-c', 'sleep 3; exit 3'])
  assert.deepEqual(await ending(run), { how: 'exit', code: 3 })
})

test('a lease that is not renewed: SIGTERM, then SIGKILL, before it is over', async () => {
  const heart = new Heartbeat()
  const run = hold(1500, 'once', 500, heart.deaf)
  const [stopping, ended] = (await run.output)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.ok(stopping.stopping && stopping.leftMs > 100, `SIGTERM came with ${stopping.leftMs} ms left`)
  assert.equal(ended.how, 'stopped')
  assert.ok(ended.leftMs > 0, `the command ended with ${ended.leftMs} ms left`)
  assert.deepEqual(heart.signals(), ['TERM'])
})

test('a lock that is taken away stops the command though its lease would be long', async () => {
  const heart = new Heartbeat()
  const run = hold(60_000, 'renew', 300, heart.deaf)
  await heart.started()
  run.child.kill('SIGWINCH')
  assert.deepEqual(await ending(run), { how: 'stopped', started: true })
  assert.deepEqual(heart.signals(), ['TERM'])
})

test('a stopped command hears of it too, and what is left of its group is killed', async () => {
  const heart = new Heartbeat()
  const run = hold(60_000, 'renew', 300, ['sh', '-c', `${heart.deaf[2]} & kill -STOP $$; exit 0`, 'sh'])
  const straggler = await heart.started()
  run.child.kill('SIGWINCH')
  assert.deepEqual(await ending(run), { how: 'stopped', started: true })
  await until('the straggler is dead', () => !isAlive(straggler))
})

for (const [name, signal] of [
  ['killed', 'SIGKILL'],
  ['stopped', 'SIGSTOP'],
] as const) {
  test(`the holder is ${name}: the command, deaf to SIGTERM, is dead before the lease is over`, async () => {
    const heart = new Heartbeat()
    const leaseMs = 2000
    const run = hold(leaseMs, 'renew', 500, heart.deaf)
    await heart.started()
    const [guard] = children(run.child.pid!)
    run.child.kill(signal)
    const leaseEnd = Date.now() + leaseMs
    await heart.ended()
    const last = heart.beats().at(-1)!
    assert.ok(last < leaseEnd, `it beat ${last - leaseEnd} ms after the lease`)
    assert.deepEqual(heart.signals(), ['TERM'])
    await until('the guard has ended', () => !isAlive(guard) || signal === 'SIGSTOP')
    if (signal === 'SIGKILL') return assert.match(run.errors(), /holder of the lock is gone/)
    run.child.kill('SIGCONT')
    assert.deepEqual(await ending(run), { how: 'stopped', started: true })
  })
}

test('a holder that dies has its command ended at once, not when the lease is over', async () => {
  const heart = new Heartbeat()
  const run = hold(3_600_000, 'renew', 500, heart.command)
  await heart.started()
  run.child.kill('SIGKILL')
  await heart.ended()
})

/** A pipe that is full, and that nobody reads. */
function fullPipe(): { fd: number; close: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'latchkey-pipe-'))
  const path = join(dir, 'pipe')
  execFileSync('mkfifo', [path])
  const ours = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const fd = openSync(path, 'w')
  for (const size of [4096, 1]) {
    const filling = Buffer.alloc(size, 'x')
    assert.throws(() => {
      for (;;) writeSync(ours, filling)
    }, /EAGAIN/)
  }
  const close = () => {
    closeSync(fd)
    closeSync(ours)
    rmSync(dir, { recursive: true })
  }
  return { fd, close }
}

test('a stderr that nobody reads does not keep the guard from stopping the command', { timeout: 60_000 }, async (t) => {
  const pipe = fullPipe()
  t.after(pipe.close)
  const heart = new Heartbeat()
  const run = hold(3_600_000, 'renew', 300, heart.deaf, pipe.fd)
  await heart.started()
  run.child.kill('SIGKILL')
  await heart.ended()
})

test('signals go to the command, each of them', async () => {
  const script =
    'trap "echo int" INT; trap "echo hup" HUP; trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.02; done'
  const run = hold(60_000, 'renew', 300, ['sh', '-c', script])
  const lines: string[] = []
  run.child.stdout!.on('data', (text: string) => lines.push(...text.trim().split('\n')))
  for (const [signal, answer] of [
    [undefined, 'up'],
    ['SIGINT', 'int'],
    ['SIGHUP', 'hup'],
    ['SIGINT', 'int'],
    ['SIGTERM', 'bye'],
  ] as const) {
    lines.length = 0
    if (signal !== undefined) run.child.kill(signal)
    await until(`${signal} is answered`, () => lines.includes(answer))
  }
  assert.deepEqual(await ending(run), { how: 'exit', code: 5 })
})

test('a guard that is killed takes its command along', async () => {
  const heart = new Heartbeat()
  const run = hold(60_000, 'renew', 300, heart.deaf)
  await heart.started()
  const [guard] = children(run.child.pid!)
  process.kill(guard, 'SIGKILL')
  assert.match(JSON.stringify(await ending(run)), /"threw".*guard.*died/)
  await heart.ended()
  assert.deepEqual(heart.signals(), ['TERM'])
})

test('a guard that is told to end by somebody else stays with its command', async () => {
  const heart = new Heartbeat()
  const run = hold(60_000, 'renew', 300, heart.command)
  await heart.started()
  const [guard] = children(run.child.pid!)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(guard, signal)
  run.child.kill('SIGTERM')
  assert.deepEqual(await ending(run), { how: 'signal', signal: 'SIGTERM' })
  await until('the guard has ended', () => !isAlive(guard))
})
