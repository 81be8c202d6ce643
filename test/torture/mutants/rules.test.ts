/** Each rule is worth something: with it taken out, a schedule of the simulation breaks what it was to keep. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import * as whole from 'latchkey/torture'
import { projectRoot } from '../../support/root.js'
import { contradiction } from './explained.js'
import { hunt, SAID_SEEDS } from './hunt.js'
import { breed } from './mutant.js'
import { mutants } from './mutants.js'
import { type Row, tableOf } from './table.js'

/** More than the rarest of them takes. */
const SEEDS = 400

const rows: Row[] = []

for (const mutant of mutants) {
  test(`rule ${mutant.rule} taken out: ${mutant.what}`, async () => {
    const prey = await hunt(await breed(mutant), mutant, SEEDS)
    assert.ok(prey !== undefined, 'it broke nothing')
    rows.push({ mutant, prey })
    // What explain() says of the whole program is looked at below, with more seeds.
    if (mutant.under === 'what explain() says') return
    const same = await hunt(whole, mutant, prey.seed)
    assert.equal(same, undefined, 'the whole program broke as well')
  })
}

test('explain() says of every fault what comes of it', async () => {
  assert.equal(await contradiction(whole, SAID_SEEDS), undefined)
})

test('every rule has its mutant', () => {
  const rules = new Set(mutants.map(({ rule }) => rule))
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13].filter((rule) => !rules.has(rule)),
    [],
  )
})

after(() => {
  const page = readFileSync(join(projectRoot, 'docs/LOCKS.md'), 'utf8')
  assert.ok(page.includes(tableOf(rows)), 'docs/LOCKS.md has another table: npm run rules writes it anew')
})
