/** The table, the JSON and the words of a result. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Result } from '#dist/torture/campaign/result.js'
import { campaign } from '#dist/torture/campaign.js'
import { type FaultName, faultKinds } from '#dist/torture/index.js'
import { toHtml } from '#dist/torture/report/html/page.js'
import { plansIn, toJson } from '#dist/torture/report/json.js'
import { tableText } from '#dist/torture/report/table.js'
import { scheduleLines } from '#dist/torture/report/words.js'
import { algorithms, careless, Fake, forgetful, rules } from '../campaign/fakes.js'

const faults = faultKinds.map(({ name }) => name)

function made(more: Partial<Result> = {}, laboratory = new Fake()): Promise<Result> {
  const result = campaign({ laboratories: [laboratory, new Fake('processes')], algorithms, faults, seeds: 12 }, rules)
  return result.then((found) => ({ ...found, ...more }))
}

/** What the table says, block by block: `algorithm/fault` to its cell. */
function read(part: string): Map<string, string> {
  const cells = new Map<string, string>()
  let heads: string[] = []
  for (const line of part.split('\n')) {
    const words = line.trim().split(/\s+/)
    if (words.every((word) => (faults as string[]).includes(word))) heads = words
    const name = algorithms.find((each) => words.includes(each.name))?.name
    if (name === undefined || line.includes(':')) continue
    for (const [i, cell] of words.slice(words.indexOf(name) + 1).entries()) cells.set(`${name}/${heads[i]}`, cell)
  }
  return cells
}

test('every row and cell is there, the laboratories apart, in 80 columns', async () => {
  const text = tableText(await made())
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line)
  const [, simulated, real] = text.split(/^(?:Simulated|Real):/m)
  const cells = read(simulated)
  assert.equal(cells.size, algorithms.length * (faults.length - 1))
  assert.deepEqual(
    ['careless/none', 'forgetful/flush', 'forgetful/restart', 'sound/none', 'sound/pause', 'sound/evict'].map((at) =>
      cells.get(at),
    ),
    ['6/12', '12/12', '·', '0/12', '12/12¹', '·'],
  )
  assert.match(simulated, /\nNot here: heap\.\n/)
  assert.equal(read(real).get('careless/heap'), '6/12')
  assert.match(real, /\nNot here: clock, suspend, server-clock\.\n/)
  assert.match(text, /\n¹ sound: Who does not ask whether it still holds is not told\.\.?\n/)
  assert.match(text, /Ours broke no promise\.\n$/)
  const wide = tableText(await made(), 1000)
  assert.deepEqual(read(wide.split(/^(?:Simulated|Real):/m)[1]), cells)
  assert.ok(wide.split('\n').length < text.split('\n').length)
})

test('failures of the laboratory, idle cells and broken promises are told', async () => {
  const failing = new Fake('simulation', 1, async ({ fault, seed }) => {
    if (fault === 'crash' && seed === 5) throw new Error('the lamp is out')
  })
  const text = tableText(await made({}, failing))
  assert.match(text, /! careless\/crash: the laboratory failed once, first with seed 5: the lamp is\s+out\n/)
  assert.equal(read(text.split(/^Real:/m)[0]).get('careless/crash'), '6/11!')
  assert.match(text, /The laboratory itself failed in places/)

  const { algorithms: cards, ...rest } = await made()
  const strict = cards.map((card) => ({ ...card, exceeded: {} }))
  assert.match(
    tableText({ ...rest, algorithms: strict }),
    /Ours broke a promise: sound\/pause\/1, sound\/pause\/1\.\n$/,
  )

  const lazy = new Fake()
  lazy.run = async () => ({ beliefs: [], updates: [], marks: [], deeds: [], final: [], endedAt: 1 })
  const idle = tableText(await made({}, lazy))
  assert.equal(read(idle.split(/^Real:/m)[0]).get('sound/none'), '0/12~')
  assert.match(idle, /~ Nobody got anything done there/)
  assert.match(tableText(await made({ aborted: true })), /stopped before it was through/)
})

test('who was not run is not praised', async () => {
  const result = await campaign(
    { laboratories: [new Fake()], algorithms: [careless, forgetful], faults, seeds: 1 },
    rules,
  )
  assert.match(tableText(result), /Ours was not run, or got nothing done\.\n$/)
})

test('the JSON has the plans of the worst runs', async () => {
  const result = await made()
  const text = toJson(result)
  assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify({ format: 'latchkey-torture', version: 1, result })))
  const plans = plansIn(text)
  assert.equal(plans.length, 6)
  assert.deepEqual(
    plans.map(({ laboratory, plan }) => `${laboratory} ${plan.algorithm}`),
    ['simulation', 'processes'].flatMap((where) => algorithms.map(({ name }) => `${where} ${name}`)),
  )
  assert.deepEqual(plans[0].plan, result.parts[0].worst[0].plan)
  assert.deepEqual(plansIn(JSON.stringify(plans[0].plan))[0].plan, plans[0].plan)
  assert.deepEqual(plansIn(JSON.stringify(result.parts[0].worst[0]))[0].plan, plans[0].plan)
})

test('what is no result is refused with a reason', () => {
  const wrong: [unknown, RegExp][] = [
    [{}, /neither a result nor a plan/],
    [null, /neither/],
    [{ format: 'latchkey-torture', version: 2 }, /version is 2/],
    [{ format: 'latchkey-torture', version: 1 }, /no parts/],
    [{ format: 'latchkey-torture', version: 1, result: { parts: [{}] } }, /without runs/],
    [
      { format: 'latchkey-torture', version: 1, result: { parts: [{ worst: [{ plan: { seed: 1 } }] }] } },
      /without a plan/,
    ],
  ]
  for (const [data, reason] of wrong) assert.throws(() => plansIn(JSON.stringify(data)), reason)
  assert.throws(() => plansIn('{'), SyntaxError)
})

test('a schedule has one line an event, in their order', () => {
  const plan = rules.planOf(careless, 'none' satisfies FaultName, 4)
  const [head, ...lines] = scheduleLines({ ...plan, incidents: plan.incidents.toReversed() })
  assert.match(head, /^careless\/none\/4: a lease of 2000 ms/)
  assert.deepEqual(lines, [
    '  participant 0: waits 0 ms, works 100 ms',
    '  participant 1: waits 10 ms, works 100 ms',
    '    0.500 s  participant 1 is stopped for 2500 ms',
    '    1.500 s  server 0 is killed, and starts again after 400 ms',
    '    2.000 s  request 2 of participant 0 is carried out, its reply lost',
  ])
})

test('algorithms of which nothing could be run are named, with the reason that counts most', async () => {
  const { parts, ...rest } = await made()
  const [{ cells, ...part }] = parts
  const refused = cells.map((cell, i) =>
    cell.algorithm === 'careless'
      ? { ...cell, runs: 0, bad: 0, refused: i === 0 ? 'not that one' : 'no server' }
      : cell,
  )
  const result = { ...rest, parts: [{ ...part, cells: refused }] }
  assert.match(tableText(result), /\n· careless: no server\.\n/)
  assert.match(toHtml(result), /· careless: no server\.</)
  assert.doesNotMatch(tableText(await made()), /careless: /)
})
