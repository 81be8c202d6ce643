/** Each row of the museum breaks under its story, and a right lock does not: seen in a miniature of the laboratory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Algorithm,
  algorithmNamed,
  catalogue,
  check,
  type FaultName,
  planOf,
  type Violation,
} from 'latchkey/torture'
import { runInMiniature } from './support/miniature.js'

const SEEDS = 40

async function violations(algorithm: Algorithm, fault: FaultName, seeds = SEEDS): Promise<Violation[][]> {
  const found: Violation[][] = []
  for (let seed = 1; seed <= seeds; seed++) {
    const plan = planOf(algorithm, fault, seed)
    found.push(check(plan, algorithm, await runInMiniature(plan, algorithm)))
  }
  return found
}

for (const algorithm of catalogue.filter(({ row }) => row !== undefined)) {
  const { row, name, story } = algorithm
  test(`row ${row}: ${name} breaks under ${story}`, async (t) => {
    const found = await violations(algorithm, story!)
    const bad = found.filter((each) => each.length > 0)
    t.diagnostic(`${bad.length} of ${SEEDS}: ${[...new Set(found.flat().map(({ kind }) => kind))].join(', ')}`)
    assert.ok(bad.length > 0)
  })
}

const everything: Algorithm['counts'] = ['overlap', 'lost update', 'fence order', 'ownership', 'left over', 'stuck']

test('with nothing but many who ask, the most careful recipe breaks nothing at all', async () => {
  const algorithm = { ...algorithmNamed('add-token-pause'), counts: everything }
  assert.deepEqual((await violations(algorithm, 'none')).flat(), [])
})

test('row 5 is repaired: where every server can be reached, it breaks nothing', async () => {
  assert.deepEqual((await violations(algorithmNamed('rehashing'), 'none')).flat(), [])
})

test('ours: when a flush ends leases two may believe, and the fence keeps every update that was told as done', async () => {
  assert.deepEqual((await violations(algorithmNamed('memcached-fenced'), 'flush')).flat(), [])
  const withoutFence = (await violations(algorithmNamed('memcached-lease'), 'flush')).flat()
  assert.deepEqual([...new Set(withoutFence.map(({ kind }) => kind))].sort(), ['lost update', 'overlap'])
})

const whereTheWireIsWhole: readonly FaultName[] = ['none', 'overrun', 'boundary', 'crash', 'abort']

for (const algorithm of catalogue.filter(({ row, home }) => row === undefined && home !== 'embedded')) {
  for (const fault of whereTheWireIsWhole) {
    test(`ours: ${algorithm.name} breaks nothing under ${fault}`, async () => {
      let done = 0
      for (let seed = 1; seed <= SEEDS; seed++) {
        const plan = planOf(algorithm, fault, seed)
        const history = await runInMiniature(plan, algorithm)
        assert.deepEqual(check(plan, { ...algorithm, counts: everything }, history), [], `seed ${seed}`)
        done += history.updates.filter(({ outcome }) => outcome === 'done').length
      }
      assert.ok(done > SEEDS, `${done} updates were done`)
    })
  }
}
