import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { parseServers } from '#dist/client/address.js'
import { InvalidArgumentError } from '#dist/client/errors.js'
import { md5 } from '#dist/client/md5.js'
import { type Distribution, Ring } from '#dist/client/ring.js'
import { Random } from '../store/random.js'
import { ringCases, ringKeys } from './ring-cases.js'
import { goldenPicks } from './ring-golden.js'

const keys = ringKeys(10_000)

for (const distribution of ['ketama-weighted', 'ketama'] as const)
  test(`${distribution}: as libmemcached picked`, () => {
    assert.deepEqual(Object.keys(goldenPicks[distribution]), Object.keys(ringCases))
    for (const [name, golden] of Object.entries(goldenPicks[distribution])) {
      const ring = new Ring(parseServers(ringCases[name]), distribution)
      const picks = ringKeys(golden.length).map((key) => ring.pick(key).toString(36))
      assert.equal(picks.join(''), golden, name)
    }
  })

test('bytes and text of a key are one key, and long keys are taken too', () => {
  const ring = new Ring(parseServers('a,b,c'))
  for (const key of [...ringKeys(1000), '', 'é'.repeat(5000), 'x'.repeat(5000)])
    assert.equal(ring.pick(Buffer.from(key)), ring.pick(key))
})

test('a lone server has every key', () => {
  assert.equal(new Ring(parseServers('a')).pick('any'), 0)
})

for (const distribution of ['ketama-weighted', 'ketama'] as const)
  test(`${distribution}: a new server takes its share, and no key moves between the others`, () => {
    for (const n of [2, 5, 10]) {
      const names = Array.from({ length: n }, (_, i) => `10.0.0.${i}`)
      const before = new Ring(parseServers(names.slice(0, -1)), distribution)
      const after = new Ring(parseServers(names), distribution)
      const moved = keys.filter((key) => before.pick(key) !== after.pick(key))
      assert.ok(moved.every((key) => after.pick(key) === n - 1))
      const share = moved.length / keys.length
      assert.ok(share > 0.5 / n && share < 1.6 / n, `1 of ${n}: ${share}`)
    }
  })

test('an unknown distribution', () => {
  for (const wrong of ['modula', '', null, 5])
    assert.throws(() => new Ring(parseServers('a,b'), wrong as Distribution), InvalidArgumentError)
})

test('keys follow the weights', () => {
  const ring = new Ring(parseServers(['a', { host: 'b', weight: 3 }]))
  const share = keys.filter((key) => ring.pick(key) === 1).length / keys.length
  assert.ok(share > 0.68 && share < 0.82, `${share}`)
})

test('MD5 is MD5, at every length', () => {
  const random = new Random(1)
  const digest = new Int32Array(4)
  for (let length = 0; length <= 300; length++) {
    const bytes = Uint8Array.from({ length: length + 5 }, () => random.below(256))
    md5(bytes, length, digest)
    const wanted = createHash('md5').update(bytes.subarray(0, length)).digest('hex')
    assert.equal(Buffer.from(digest.buffer).toString('hex'), wanted, `${length} bytes`)
  }
})
