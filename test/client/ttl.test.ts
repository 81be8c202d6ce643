import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidArgumentError } from '#dist/client/errors.js'
import { exptimeOf, milliseconds, remainingMs, type Ttl } from '#dist/client/ttl.js'

const nowMs = Date.UTC(2025, 0, 1) + 250
const dayMs = 86_400_000

test('spans of time', () => {
  const spans: [Ttl, number][] = [
    [1500, 1500],
    [0.5, 0.5],
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['7d', 7 * dayMs],
    ['1w', 7 * dayMs],
    [0, 0],
    ['0s', 0],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ]
  for (const [span, ms] of spans) assert.equal(milliseconds(span), ms, String(span))
})

test('what is no span', () => {
  const wrong = [
    -1,
    Number.NaN,
    '',
    '5',
    '5 s',
    ' 5s',
    '-5s',
    '+5s',
    '5y',
    '5M',
    '.5s',
    '1e3s',
    '5s5m',
    new Date(nowMs),
  ]
  for (const ttl of wrong) assert.throws(() => milliseconds(ttl), InvalidArgumentError, String(ttl))
  for (const ttl of [null, true, 5n, {}, []])
    assert.throws(() => exptimeOf(ttl as unknown as Ttl, nowMs), InvalidArgumentError, String(ttl))
  for (const ttl of [-1, '5', new Date(Number.NaN)])
    assert.throws(() => exptimeOf(ttl, nowMs), InvalidArgumentError, String(ttl))
})

test('what is left', () => {
  assert.equal(remainingMs('2s', nowMs), 2000)
  assert.equal(remainingMs(new Date(nowMs + 20), nowMs), 20)
  assert.equal(remainingMs(new Date(nowMs - 20), nowMs), -20)
  for (const never of [undefined, 0, '0s', Number.POSITIVE_INFINITY])
    assert.equal(remainingMs(never, nowMs), Number.POSITIVE_INFINITY)
})

test('exptime: no end is 0, over is -1', () => {
  for (const never of [undefined, 0, '0h', Number.POSITIVE_INFINITY]) assert.equal(exptimeOf(never, nowMs), 0)
  assert.equal(exptimeOf(new Date(nowMs - 1), nowMs), -1)
  assert.equal(exptimeOf(new Date(nowMs), nowMs), -1)
})

test('exptime: whole seconds, never fewer than asked for', () => {
  const seconds: [Ttl, number][] = [
    [1, 1],
    [0.1, 1],
    [1000, 1],
    [1001, 2],
    ['1.5s', 2],
    [new Date(nowMs + 1), 1],
    [new Date(nowMs + 60_000), 60],
  ]
  for (const [ttl, exptime] of seconds) assert.equal(exptimeOf(ttl, nowMs), exptime, String(ttl))
})

test('exptime: 30 days are a span, more is a moment', () => {
  assert.equal(exptimeOf('30d', nowMs), 2_592_000)
  assert.equal(exptimeOf(30 * dayMs - 500, nowMs), 2_592_000)
  assert.equal(exptimeOf(30 * dayMs + 1, nowMs), Math.ceil((nowMs + 30 * dayMs + 1) / 1000))
  assert.equal(exptimeOf('31d', nowMs), Math.floor(nowMs / 1000) + 31 * 86_400 + 1)
  assert.equal(exptimeOf(new Date(nowMs + 31 * dayMs), nowMs), exptimeOf('31d', nowMs))
})

test('exptime: moments that 32 bits cannot tell', () => {
  const last = (2 ** 31 - 1) * 1000
  assert.equal(exptimeOf(new Date(last), nowMs), 2 ** 31 - 1)
  assert.throws(() => exptimeOf(new Date(last + 1), nowMs), InvalidArgumentError)
  assert.throws(() => exptimeOf(1e300, nowMs), InvalidArgumentError)
})
