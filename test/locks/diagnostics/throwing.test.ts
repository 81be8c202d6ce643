import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

test('a subscriber that throws changes nothing; Node reports it', () => {
  const program = join(import.meta.dirname, 'throwing.js')
  const { stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8', timeout: 30_000 })
  assert.notEqual(stdout, '', stderr)
  const { said, thrown } = JSON.parse(stdout)
  assert.deepEqual(said, [null, 'released', 'lost', 'lost'])
  const first = ['acquire', 'grant', 'acquire', 'error', 'acquire', 'wait']
  assert.deepEqual(thrown, [...first, 'extend', 'release', 'grant', 'extend', 'lost'])
})
