/** docs/OBSERVING.md tells of the channels and the metrics that there are, and of no others. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { collectMetrics } from 'latchkey/prometheus'
import { Registry } from 'prom-client'
import { channelNames } from '../observe/quiet.js'
import { projectRoot } from '../support/root.js'

const page = readFileSync(join(projectRoot, 'docs/OBSERVING.md'), 'utf8')

interface Metric {
  readonly name: string
  readonly type: string
  readonly labelNames: readonly string[]
  readonly help: string
}

test('every channel', () => {
  const told = Array.from(page.matchAll(/^\| `(latchkey:[^`]+)` \|/gm), ([, name]) => name)
  assert.deepEqual(told, channelNames)
})

test('every metric, with its type and labels', () => {
  using metrics = collectMetrics({ register: new Registry(), labelOf: (name) => name })
  const there = metrics.register.getMetricsAsArray() as unknown as Metric[]
  const rows = there.map(({ name, type, labelNames, help }) => {
    const labels = labelNames.map((label) => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${type} | ${labels} | ${help} |`
  })
  const told = page.split('\n').filter((line) => line.startsWith('| `latchkey_'))
  assert.deepEqual(told, rows)
  const named = new Set(Array.from(page.matchAll(/\blatchkey_\w+?(?=_bucket\b|\b)/g), ([name]) => name))
  assert.deepEqual([...named].sort(), there.map(({ name }) => name).sort())
})

test('what has a package of its own is asked for by nobody else', () => {
  const dist = join(projectRoot, 'dist')
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  const others = files.filter((name) => /\.(js|d\.ts)$/.test(name) && !name.startsWith('observe/'))
  assert.ok(others.length > 100)
  const wrong = others.filter((name) => /prom-client|@opentelemetry/.test(readFileSync(join(dist, name), 'utf8')))
  assert.deepEqual(wrong, [])
})
