/** Our own meta flags: `p`, `w`, `z` and `g`, and which commands have them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ascii, byteSource, Flag, Output, Parsed, parseRequest, Request, writeReturnFlags } from 'latchkey/protocol'

function parse(line: string, request = new Request()) {
  const source = byteSource(ascii(`${line}\r\n`))
  const parsed = parseRequest(request, source, 0, source.u8.length)
  return { request, meta: request.meta, error: parsed === Parsed.Refused ? request.error.toString().trimEnd() : '' }
}

const BAD = 'CLIENT_ERROR bad token in command line format'
const INVALID = 'CLIENT_ERROR invalid flag'
const INVALID_MA = 'CLIENT_ERROR invalid or duplicate flag'

test('they carry their values', () => {
  assert.equal(parse('ms a 1 g18446744073709551615').meta.fence, 2n ** 64n - 1n)
  assert.equal(parse('ms a 1 ME w5 g7').error, 'CLIENT_ERROR w and g exclude each other')
  const { meta, error } = parse('ms a 1 ME p1500 w20000 z c')
  assert.equal(error, '')
  assert.deepEqual([meta.ttlMs, meta.waitMs], [1500, 20000])
  assert.ok([Flag.p, Flag.w, Flag.z, Flag.c].every((letter) => meta.has(letter)))
  assert.ok(meta.givesTtl)
  for (const [word, ms] of [
    ['p0', 0],
    ['p-5', -5],
    ['p+5', 5],
    // What marks a number that is none elsewhere is a number here.
    ['p-1099511627776', -(2 ** 40)],
    ['p999999999999999', 999_999_999_999_999],
    ['p-999999999999999', -999_999_999_999_999],
  ] as const)
    assert.equal(parse(`mg a ${word}`).meta.ttlMs, ms, word)
})

test('without a number p and w ask, on mg alone', () => {
  const { meta, error } = parse('mg a p w v')
  assert.equal(error, '')
  assert.ok(meta.has(Flag.p) && meta.has(Flag.w))
  assert.ok(meta.asksOnly && !meta.givesTtl && meta.ttlMs === undefined)
  assert.ok(!parse('mg a p5').meta.asksOnly, 'a touch is more than a question')
  assert.equal(parse('mg a p T5').error, '')
})

test('refusals', () => {
  const refusals: [line: string, error: string][] = [
    ['ms a 1 p', BAD],
    ['ms a 1 w ME', BAD],
    ['ms a 1 g', BAD],
    ['md a g', BAD],
    ['ms a 1 pabc', BAD],
    ['ms a 1 p1000000000000000', BAD],
    ['mg a p5x', BAD],
    ['mg a w5', BAD],
    ['ms a 1 w-1 ME', BAD],
    ['ms a 1 w1.5 ME', BAD],
    ['ms a 1 gx', BAD],
    ['ms a 1 g-1', BAD],
    ['ms a 1 g18446744073709551616', BAD],
    ['ms a 1 zz', BAD],
    ['ms a 1 p1 p2', 'CLIENT_ERROR duplicate flag'],
    ['ms a 1 p1 T2', 'CLIENT_ERROR T and p exclude each other'],
    ['mg a T2 p1', 'CLIENT_ERROR T and p exclude each other'],
    ['ma a T2 p1', 'CLIENT_ERROR T and p exclude each other'],
    ['ms a 1 w5', 'CLIENT_ERROR w is for mode ME only'],
    ['ms a 1 w5 MS', 'CLIENT_ERROR w is for mode ME only'],
    ['mg a z', INVALID],
    ['mg a g5', INVALID],
    ['md a p5', INVALID],
    ['md a w', INVALID],
    ['md a z', INVALID],
    ['me a p', INVALID],
    ['ma a p', INVALID_MA],
    ['ma a w', INVALID_MA],
    ['ma a z', INVALID_MA],
    ['ma a g5', INVALID_MA],
  ]
  for (const [line, error] of refusals) assert.equal(parse(line).error, error, line)
})

test('nothing of them leaks into the next request', () => {
  const request = new Request()
  parse('ms a 1 ME p5 w6 z g7', request)
  request.waitedMs = 3
  // The first is read in one pass, the second the general way.
  for (const line of ['ms a 1 c', 'ms  a 1 c']) {
    const { meta } = parse(line, request)
    assert.deepEqual([meta.ttlMs, meta.waitMs, meta.fence], [undefined, 0, undefined])
    assert.ok(![Flag.p, Flag.w, Flag.z, Flag.g].some((letter) => meta.has(letter)))
  }
  assert.equal(request.waitedMs, 0)
})

const item = {
  flags: 0,
  valueLength: 3,
  cas: 9n,
  ttlMs: 1234,
  ttlBeforeMs: 77,
  idleSeconds: 0,
  fetched: false,
  waiters: 4,
}

function returned(line: string, touched = false, changes: Partial<typeof item> = {}): string {
  const out = new Output(100)
  const { request, error } = parse(line)
  assert.equal(error, '')
  request.waitedMs = 55
  writeReturnFlags(out, request, { ...item, ...changes }, touched)
  return Buffer.from(out.u8.subarray(0, out.length)).toString('latin1')
}

test('what they return, in the order asked', () => {
  assert.equal(returned('mg a w c p'), ' w4 c9 p1234')
  assert.equal(returned('mg a p', false, { ttlMs: -1 }), ' p-1')
  assert.equal(returned('ms a 1 ME p500 w1000 c'), ' w55 c9')
  assert.equal(returned('mg a p500 c', true), ' c9')
})

test('before the flag that gives a new life, p and t tell the old one', () => {
  assert.equal(returned('mg a p t T9', true), ' p77 t1')
  assert.equal(returned('mg a p T9 t', true), ' p77 t2')
  assert.equal(returned('mg a T9 p t', true), ' p1234 t2')
  assert.equal(returned('mg a t p900', true), ' t1')
  assert.equal(returned('mg a p900 t', true), ' t2')
})
