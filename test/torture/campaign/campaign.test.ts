/** `campaign`: what is counted, what is kept, and how it ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { brokenPromises, type Cell, laboratoryFailures, type Result } from '#dist/torture/campaign/result.js'
import { type CampaignOptions, campaign, type Progress } from '#dist/torture/campaign.js'
import type { FaultName, Laboratory } from '#dist/torture/index.js'
import { algorithms, careless, Fake, forgetful, rules, sound } from './fakes.js'

const faults: FaultName[] = ['none', 'pause', 'restart', 'flush', 'evict', 'heap']

function run(laboratory: Laboratory, more: Partial<CampaignOptions> = {}): Promise<Result> {
  return campaign({ laboratories: [laboratory], algorithms, faults, seeds: 12, ...more }, rules)
}

function cell({ parts: [{ cells }] }: Result, algorithm: string, fault: FaultName): Cell {
  return cells.find((each) => each.algorithm === algorithm && each.fault === fault)!
}

test('a run counts once, with all its kinds; the first bad seed is the smallest', async () => {
  const result = await run(new Fake())
  const { runs, bad, kinds, firstBadSeed, errors } = cell(result, 'forgetful', 'flush')
  assert.deepEqual(
    { runs, bad, kinds, firstBadSeed, errors },
    {
      runs: 12,
      bad: 12,
      kinds: { 'lost update': 12, overlap: 4 },
      firstBadSeed: 1,
      errors: 0,
    },
  )
  const { bad: halfBad, firstBadSeed: second } = cell(result, 'careless', 'evict')
  assert.deepEqual([halfBad, second], [6, 2])
  assert.deepEqual([cell(result, 'sound', 'none').bad, cell(result, 'sound', 'none').runs], [0, 12])
})

test('every cell is there; what cannot be had says why, and is not run', async () => {
  const laboratory = new Fake()
  const result = await run(laboratory)
  assert.equal(result.parts[0].cells.length, algorithms.length * faults.length)
  assert.equal(cell(result, 'forgetful', 'restart').refused, 'means nothing to it')
  assert.equal(cell(result, 'sound', 'evict').refused, 'it pins its locks')
  assert.equal(cell(result, 'careless', 'heap').refused, 'not in virtual time')
  const refused = /^(forgetful\/restart|sound\/evict|\w+\/heap)\//
  assert.deepEqual(
    laboratory.given.filter((given) => refused.test(given)),
    [],
  )
  assert.equal(new Set(laboratory.given).size, laboratory.given.length)
  const real = await run(new Fake('processes'), { faults: ['clock', 'heap'] })
  assert.equal(cell(real, 'careless', 'clock').refused, 'not with real processes')
  assert.equal(cell(real, 'careless', 'heap').runs, 12)
})

test('the worst run is the one with most kinds, then with most overlap; a broken promise is worse than none', async () => {
  const { parts } = await run(new Fake())
  const worst = parts[0].worst.map(({ plan }) => `${plan.algorithm}/${plan.fault}/${plan.seed}`)
  assert.deepEqual(worst, ['careless/evict/12', 'forgetful/flush/12', 'sound/pause/12'])
  const { history, violations } = parts[0].worst[1]
  assert.deepEqual([history.final, violations.map(({ kind }) => kind)], [['p0-1'], ['overlap', 'lost update']])
})

test('ours broke a promise: only within its bounds', async () => {
  assert.deepEqual(brokenPromises(await run(new Fake())), [])
  const strict = { ...sound, exceeded: {} }
  const broken = brokenPromises(await run(new Fake(), { algorithms: [careless, strict] }))
  assert.deepEqual(
    broken.map(({ algorithm, fault }) => [algorithm, fault]),
    [['sound', 'pause']],
  )
})

test('a failure of the laboratory is neither a run nor a pass', async () => {
  const laboratory = new Fake('simulation', 2, async ({ fault, seed }) => {
    if (fault === 'none' && seed > 10) throw new Error(`no power at ${seed}`)
  })
  const result = await run(laboratory)
  const { runs, errors, error } = cell(result, 'careless', 'none')
  assert.deepEqual({ runs, errors, error }, { runs: 10, errors: 2, error: { seed: 11, text: 'no power at 11' } })
  assert.equal(laboratoryFailures(result).length, 3)
})

test('as many at once as the laboratory wants; every cell has one run before any has two', async () => {
  const laboratory = new Fake('processes', 3, () => sleep(1))
  await run(laboratory, { seeds: 3, algorithms: [careless, forgetful], faults: ['none', 'pause'] })
  assert.equal(laboratory.most, 3)
  assert.deepEqual(
    laboratory.given.slice(0, 4).map((given) => given.slice(-1)),
    ['1', '1', '1', '1'],
  )
})

test('threads find the same as one thread', async (t) => {
  const threads = { count: 3, script: new URL('./fake-worker.js', import.meta.url) }
  const { tookMs: _, ...alone } = await run(new Fake())
  const { tookMs: __, ...together } = await run(new Fake(), { threads })
  assert.deepEqual(JSON.parse(JSON.stringify(together)), JSON.parse(JSON.stringify(alone)))

  await t.test('and one that dies costs its share, not the rest', async () => {
    const result = await run(new Fake(), { threads, seeds: 24 })
    const { runs, errors, error } = cell(result, 'careless', 'none')
    assert.deepEqual([runs, errors, error?.seed], [16, 8, 9])
    assert.match(error!.text, /thread died.*3/)
  })
})

test('minutes: round and round with new seeds, the laboratories one after the other', async () => {
  const laboratories = [new Fake('simulation', 2, () => sleep(1)), new Fake('processes', 2, () => sleep(1))]
  const progress: Progress[] = []
  const options = { algorithms: [careless], faults: ['none', 'pause'] as const, seeds: 1, minutes: 0.01 }
  const result = await campaign({ laboratories, ...options, onProgress: (now) => progress.push(now) }, rules)
  for (const [i, { given }] of laboratories.entries()) {
    assert.ok(given.length > 4)
    assert.equal(new Set(given).size, given.length)
    const runs = result.parts[i].cells.reduce((sum, each) => sum + each.runs, 0)
    assert.equal(runs, given.length)
  }
  const order = progress.map(({ laboratory }) => laboratory)
  assert.deepEqual(order, [...order].sort().reverse())
  assert.ok(progress.every(({ done }, i) => done <= 1 && done >= (progress[i - 1]?.done ?? 0)))
  assert.equal(result.aborted, false)
})

test('an abort ends it at once with what it has; what is under way is left out', async () => {
  const stop = new AbortController()
  const laboratory = new Fake('processes', 2, ({ seed }) => (seed === 3 ? new Promise(() => {}) : Promise.resolve()))
  const running = run(laboratory, { algorithms: [careless], faults: ['none'], seeds: 9, signal: stop.signal })
  while (!laboratory.given.includes('careless/none/4')) await sleep(1)
  stop.abort()
  const result = await running
  assert.equal(result.aborted, true)
  assert.ok(cell(result, 'careless', 'none').runs < 9)
  const none = await run(new Fake(), { signal: AbortSignal.abort() })
  assert.deepEqual([none.aborted, none.parts[0].cells.every(({ runs }) => runs === 0)], [true, true])
})
