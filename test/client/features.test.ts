import assert from 'node:assert/strict'
import { test } from 'node:test'
import { featuresOf } from '#dist/client/features.js'

test('what a version tells', () => {
  const rows: [version: string, meta: boolean, compareAndDelete: boolean, latchkey: boolean][] = [
    ['1.6.18', true, true, false],
    ['1.6.13', true, true, false],
    ['1.6.12', true, false, false],
    ['1.10.0', true, true, false],
    ['2.0.0', true, true, false],
    ['1.5.22', false, false, false],
    ['1.6.18', false, false, false],
    ['1.6.45-latchkey.0.1.0', true, true, true],
    ['', true, false, false],
    ['unknown', true, false, false],
  ]
  for (const [version, meta, compareAndDelete, latchkey] of rows) {
    assert.deepEqual(featuresOf(version, meta), { version, meta, compareAndDelete, latchkey })
  }
})
