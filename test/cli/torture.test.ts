/** `latchkey torture` as a process. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { catalogue, faultKinds, onEngines } from '#dist/torture/index.js'
import { projectRoot } from '../support/root.js'

const main = join(projectRoot, 'dist/cli/main.js')
const folder = mkdtempSync(join(tmpdir(), 'latchkey-torture-cli-'))
test.after(() => rmSync(folder, { recursive: true }))

function torture(...args: string[]) {
  return tortureIn(process.env, ...args)
}

function tortureIn(env: NodeJS.ProcessEnv, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'torture', ...args], {
    env,
    encoding: 'utf8',
    timeout: 120_000,
  })
  return { status, stdout, stderr }
}

const few = ['--algorithm', 'get-then-set,latchkey-fenced', '--faults', 'none,overrun', '--seeds', '3']

test('--list names every algorithm and fault', () => {
  const { status, stdout } = torture('--list')
  assert.equal(status, 0)
  for (const { name } of [...catalogue, ...Object.values(onEngines), ...faultKinds])
    assert.match(stdout, new RegExp(`^ .*\\b${name}  `, 'm'))
})

test('bad flags end with 2, and say what was expected', () => {
  const wrong: [string[], RegExp][] = [
    [['--algorithm', 'nobody'], /no algorithm nobody; there are get-then-set, /],
    [['--engines', 'etcd,oracle'], /no engine oracle; there are etcd, redis, /],
    [['--engines', 'etcd', '--algorithm', 'latchkey-fenced'], /cannot be used with/],
    [['--engines', 'etcd', '--mode', 'simulated', '--seeds', '1'], /only with real processes/],
    [['--algorithm', 'redis-fenced', '--seeds', '1'], /only with real processes/],
    [['--faults', 'none,rain'], /no fault rain; there are none, /],
    [['--seeds', '0'], /whole number from 1/],
    [['--seeds', '3', '--minutes', '1'], /cannot be used with/],
    [['--minutes', 'ten'], /number of minutes/],
    [['--mode', 'dream'], /simulated, real, both/],
    [['--servers', 'nowhere'], /a list such as/],
    [['--servers', 'localhost:11211', '--mode', 'both'], /real runs, not with --mode both/],
    [
      ['--servers', 'localhost:11211', '--faults', 'none,restart,flush'],
      /nothing is done to the servers, so not restart, flush/,
    ],
    [['--shrink'], /--replay/],
    [['--replay', 'get-then-set/none/1', '--seeds', '2'], /without --seeds/],

    [['--replay', join(folder, 'none.json')], /no such file/],
    [['--replay', 'get-then-set/none/1', '--shrink', '--mode', 'real'], /only in virtual time/],
    [['--replay', 'embedded-lease/none/1'], /cannot be had there/],
    [['--html', join(folder, 'no', 'such.html')], /such\.html cannot be written/],
    [['--json', folder], /is a directory/],
    [['--html', ''], /a file has no name/],
    [['--replay', 'nobody/none/1'], /there is no algorithm nobody/],
    [['--replay', 'get-then-set/rain/1'], /there is no fault rain/],
    [['--replay', 'get-then-set/none/99999999999999999999'], /no such seed/],
    [['--replay', 'get-then-set/none/1', '--mode', 'both'], /of one run/],
    [['--algorithm', 'embedded-lease', '--seeds', '1'], /none of these can be had there/],
    [['more'], /too many arguments/],
  ]
  for (const [args, message] of wrong) {
    const { status, stdout, stderr } = torture(...args)
    assert.deepEqual([status, stdout], [2, ''], args.join(' '))
    assert.match(stderr, message)
  }
})

test('engines that are not installed: 2, and which', () => {
  const nothing = { ...process.env, PATH: folder }
  const { status, stdout, stderr } = tortureIn(nothing, '--engines', 'redis,etcd')
  assert.deepEqual([status, stdout], [2, ''])
  assert.match(stderr, /can be had there: .*there is no redis-server here/)
  assert.match(stderr, /there is no etcd here/)
})

test('servers that cannot be reached: 69', () => {
  const { status, stderr } = torture('--servers', '127.0.0.1:1')
  assert.equal(status, 69)
  assert.match(stderr, /^latchkey: .*127\.0\.0\.1:1/)
})

test('a small campaign: the museum breaks, ours does not; the same again on another number of threads', () => {
  const json = join(folder, 'result.json')
  const html = join(folder, 'result.html')
  const { status, stdout, stderr } = torture(...few, '--json', json, '--html', html, '--threads', '2')
  assert.deepEqual([status, stderr], [0, ''])
  assert.match(stdout, /^ 1 get-then-set +[1-3]\/3 +[1-3]\/3$/m)
  assert.match(stdout, /^ +latchkey-fenced +0\/3 +0\/3$/m)
  assert.match(stdout, /Ours broke no promise\.\n$/)
  assert.match(readFileSync(html, 'utf8'), /<svg class="timeline"/)

  const alone = torture(...few, '--json', '--threads', '1')
  assert.deepEqual([alone.status, alone.stderr], [0, ''])
  const [one, other] = [alone.stdout, readFileSync(json, 'utf8')].map((text) => JSON.parse(text))
  assert.deepEqual({ ...one.result, tookMs: 0 }, { ...other.result, tookMs: 0 })

  const { plan, violations } = one.result.parts[0].worst[0]
  const again = torture('--replay', json)
  assert.equal(again.status, 0)
  assert.match(again.stdout, new RegExp(`^get-then-set/${plan.fault}/${plan.seed}: a lease of`))
  assert.match(again.stdout, new RegExp(`^Violations: ${violations.length}$`, 'm'))
})

test('--replay by name, shrunk; the short one can be replayed from its file', () => {
  const file = join(folder, 'short.json')
  const { status, stdout } = torture('--replay', 'get-then-set/none/7', '--shrink', '--json', file)
  assert.equal(status, 0)
  assert.match(
    stdout,
    /^The shortest that still fails:\n\nget-then-set\/none\/7: [\s\S]*nothing to do[\s\S]*^Violations: /m,
  )
  const { plan, violations } = JSON.parse(readFileSync(file, 'utf8'))
  assert.ok(violations.length > 0)
  assert.equal(plan.rounds.flat().length, 2)
  assert.match(torture('--replay', file).stdout, new RegExp(`^Violations: ${violations.length}$`, 'm'))
  assert.match(torture('--replay', 'latchkey-fenced/none/1').stdout, /\nNo violation\.\n$/)
})

test('a file with several runs asks which; one without any is refused', () => {
  const file = join(folder, 'two.json')
  torture('--algorithm', 'get-then-set,always-release', '--faults', 'none', '--seeds', '2', '--json', file)
  const asked = torture('--replay', file)
  assert.deepEqual([asked.status, asked.stdout], [2, ''])
  assert.match(asked.stderr, /--algorithm: get-then-set, always-release/)
  assert.match(torture('--replay', file, '--algorithm', 'always-release').stdout, /^always-release\/none\//)
  assert.match(torture('--replay', file, '--algorithm', 'read-back').stderr, /no such run/)
  writeFileSync(file, '{"format":"latchkey-torture","version":9}')
  assert.match(torture('--replay', file).stderr, /two\.json: its version is 9/)
})

test('a line of progress now and then; SIGINT ends it with what it has', { timeout: 120_000 }, async () => {
  const json = join(folder, 'stopped.json')
  const args = ['--algorithm', 'get-then-set', '--faults', 'none', '--minutes', '60', '--json', json]
  const child = spawn(process.execPath, [main, 'torture', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said.stderr += text
    child.kill('SIGINT')
  })
  assert.equal(await new Promise((resolve) => child.once('close', resolve)), 130)
  assert.match(said.stderr, /^latchkey: +0 % {2}simulated: [1-9]\d* runs, [1-9]\d* with a violation\n$/)
  assert.match(said.stdout, /It was stopped before it was through\./)
  const { result } = JSON.parse(readFileSync(json, 'utf8'))
  assert.deepEqual([result.aborted, result.parts[0].cells[0].runs > 0], [true, true])
})

test('a file that cannot be written in the end, and a run that the laboratory cannot do: 70, with what went wrong', () => {
  const full = torture('--algorithm', 'get-then-set', '--faults', 'none', '--seeds', '1', '--json', '/dev/full')
  assert.equal(full.status, 70)
  assert.match(full.stdout, /get-then-set +1\/1/)
  assert.match(full.stderr, /^latchkey: \/dev\/full cannot be written: ENOSPC.*\n$/)

  const file = join(folder, 'plan.json')
  torture('--replay', 'get-then-set/pause/1', '--json', file)
  const { plan } = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, JSON.stringify({ ...plan, incidents: [{ at: 10, what: 'pause', who: 9, ms: 100 }] }))
  const { status, stderr } = torture('--replay', file)
  assert.equal(status, 70)
  assert.match(stderr, /^latchkey: get-then-set\/pause\/1: the laboratory failed: .*\n$/)
  writeFileSync(file, JSON.stringify({ ...plan, algorithm: 'nobody' }))
  assert.deepEqual([torture('--replay', file).status], [2])
})

test('a run of both laboratories in one file: --mode says which; a file of one run knows where it was', () => {
  const file = join(folder, 'both.json')
  const { plan } = JSON.parse(torture('--replay', 'get-then-set/none/1', '--json').stdout)
  const parts = ['simulation', 'processes'].map((laboratory, i) => ({
    ...{ laboratory, cells: [] },
    worst: [{ plan: { ...plan, seed: i + 1 } }],
  }))
  writeFileSync(file, JSON.stringify({ format: 'latchkey-torture', version: 1, result: { parts } }))
  assert.match(torture('--replay', file).stderr, /with --mode: simulated, real/)
  assert.match(torture('--replay', file, '--mode', 'simulated').stdout, /^get-then-set\/none\/1:/)
  writeFileSync(file, JSON.stringify({ laboratory: 'processes', plan }))
  assert.match(torture('--replay', file, '--shrink').stderr, /only in virtual time/)
})
