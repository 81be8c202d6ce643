import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ascii, byteSource, Command, Flag, Parsed, parseRequest, Request, reply } from 'latchkey/protocol'

const NAMES = new Map(Object.entries(Parsed).map(([name, value]) => [value, name]))

function parse(text: string, cut = text.length) {
  const request = new Request()
  // What lies behind the end must not count: it is left over from an earlier read.
  const source = byteSource(ascii(`${text.slice(0, cut)}zz\r\nget q\r\n`))
  const parsed = NAMES.get(parseRequest(request, source, 0, cut))
  const key = new TextDecoder().decode(
    request.keySource.u8.subarray(request.keyStart, request.keyStart + request.keyLength),
  )
  return { parsed, request, key, error: request.error.toString().trimEnd() }
}

const LINES = [
  'get a\r\n',
  'get a b\n',
  'gets abc\r\n',
  'gat 10 a\r\n',
  'set a 1 2 3\r\n',
  'set a 1 2 3 noreply\r\n',
  'cas a 1 2 3 4\r\n',
  'incr a 18446744073709551615\r\n',
  'delete a 0 noreply\r\n',
  'mg a v f t\r\n',
  'ms Zm9v 3 b T10 MA\r\n',
  'md a q I\r\n',
  'ma a D5 J3 N0\r\n',
  'stats settings\r\n',
  'lru_crawler metadump all\r\n',
  'nonsense\r\n',
]

test('at every split point a line is incomplete, and then complete', () => {
  for (const line of LINES) {
    for (let cut = 1; cut < line.length; cut++) {
      assert.equal(parse(line, cut).parsed, 'Incomplete', JSON.stringify(line.slice(0, cut)))
    }
    const { parsed, request } = parse(line)
    assert.notEqual(parsed, 'Incomplete', line)
    assert.equal(request.next, line.length)
  }
})

test('a store line tells everything about its block', () => {
  const { request, key } = parse('cas the-key 4294967295 -1 1048576 18446744073709551615 noreply\r\n')
  assert.equal(request.command, Command.Cas)
  assert.equal(key, 'the-key')
  assert.equal(request.flags, 4294967295)
  assert.equal(request.exptime, -1)
  assert.equal(request.valueLength, 1048576)
  assert.equal(request.cas, 2n ** 64n - 1n)
  assert.equal(request.noreply, true)
})

test('plain sets are read as the general way reads them', () => {
  for (const numbers of ['0 0 0', '1 22 333', '999999999 7 12', '4294967295 -5 4', '007 08 09', '1 2147483647 1']) {
    const [flags, exptime, length] = numbers.split(' ').map(Number)
    // Two spaces take the general way.
    for (const line of [`set abc ${numbers}\r\n`, `set  abc ${numbers}\r\n`, `set abc ${numbers}\n`]) {
      const { parsed, request, key } = parse(line)
      assert.equal(parsed, 'Ready', line)
      assert.deepEqual(
        [request.flags, request.exptime, request.valueLength, key],
        [flags, exptime, length, 'abc'],
        line,
      )
      assert.equal(request.next, line.length)
      assert.equal(request.noreply, false)
    }
  }
})

test('a refused store drops its block only when the length is known', () => {
  const long = 'k'.repeat(251)
  for (const line of [`set ${long} 0 0 5`, 'set a x 0 5', 'set a 0 x 5', 'cas a 0 0 5 x', 'ms a 5 !', 'ms a 5 MX']) {
    const { parsed, request } = parse(`${line}\r\n`)
    assert.equal(parsed, 'Refused', line)
    assert.equal(request.valueLength, 5, line)
  }
  for (const line of ['set a 0 0 -1', 'set a 0 0 x', 'set a 0 0', 'ms a', 'ms a x', 'set a 0 0 2147483647']) {
    const { parsed, request, error } = parse(`${line}\r\n`)
    assert.equal(parsed, 'Refused', line)
    assert.equal(request.valueLength, -1, line)
    assert.equal(error, 'CLIENT_ERROR bad command line format')
  }
})

test('meta flags carry their values', () => {
  const { request } = parse('mg a T30 N-1 R2592001 C7 E18446744073709551615 O123 k v\r\n')
  const { meta } = request
  assert.deepEqual([meta.ttl, meta.vivifyTtl, meta.recacheTtl], [30, -1, 2592001])
  assert.deepEqual([meta.compareCas, meta.newCas], [7n, 2n ** 64n - 1n])
  assert.ok(meta.has(Flag.k) && meta.has(Flag.v) && meta.has(Flag.O))
  assert.ok(!meta.has(Flag.q) && !meta.has(Flag.I))
})

test('meta flags of one request do not leak into the next', () => {
  const request = new Request()
  const first = byteSource(ascii('ms a 1 q I F5 C3 E4 MA T9\r\n'))
  parseRequest(request, first, 0, first.u8.length)
  const second = byteSource(ascii('ms a 1\r\n'))
  parseRequest(request, second, 0, second.u8.length)
  const { meta } = request
  assert.ok(!meta.has(Flag.q) && !meta.has(Flag.I))
  assert.deepEqual(
    [meta.clientFlags, meta.compareCas, meta.newCas, meta.mode, meta.ttl],
    [0, undefined, undefined, 0, 0],
  )
})

test("each refusal has memcached's words", () => {
  const words: [line: string, error: string][] = [
    ['mg a v v', 'CLIENT_ERROR duplicate flag'],
    ['mg a !', 'CLIENT_ERROR invalid flag'],
    ['mg a Tx', 'CLIENT_ERROR bad token in command line format'],
    ['mg ### b', 'CLIENT_ERROR error decoding key'],
    ['mg a b', 'CLIENT_ERROR error decoding key'],
    [`mg a O${'1'.repeat(32)}`, 'CLIENT_ERROR opaque token too long'],
    [`mg a${' v'.repeat(19)}`, 'CLIENT_ERROR options flags are too long'],
    ['ma a v v', 'CLIENT_ERROR invalid or duplicate flag'],
    ['ma a MX', 'CLIENT_ERROR invalid mode for ma M token'],
    ['ms a 1 MX', 'CLIENT_ERROR invalid mode for ms M token'],
    ['delete a 5', 'CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]'],
    ['touch a x', 'CLIENT_ERROR invalid exptime argument'],
    ['gat x a', 'CLIENT_ERROR invalid exptime argument'],
    ['incr a x', 'CLIENT_ERROR invalid numeric delta argument'],
    ['get', 'CLIENT_ERROR bad command line format'],
    ['x', 'CLIENT_ERROR bad command line format'],
    ['nonsense', 'ERROR'],
    ['GET a', 'ERROR'],
  ]
  for (const [line, error] of words) {
    const result = parse(`${line}\r\n`)
    assert.equal(result.parsed, 'Refused', line)
    assert.equal(result.error, error, line)
  }
})

test('a line without an end closes, unless it is a get', () => {
  const long = 'k '.repeat(1100)
  assert.equal(parse(`set ${long}`).parsed, 'Close')
  assert.equal(parse(`gat 0 ${long}`).parsed, 'Close')
  assert.equal(parse(`get ${long}`).parsed, 'LongGet')
  assert.equal(parse(`gets ${long}`).parsed, 'LongGet')
  assert.equal(parse('x'.repeat(2048)).parsed, 'Incomplete')
})

test('a browser is hung up on', () => {
  assert.equal(parse('POST / HTTP/1.1\r\n').parsed, 'Close')
  assert.equal(parse('get HTTP/1.1\r\n').parsed, 'Ready')
})

test('fixed replies spell what they should', () => {
  assert.equal(reply.STORED.toString(), 'STORED\r\n')
  assert.equal(reply.NO_SHUTDOWN.toString(), 'SERVER_ERROR: shutdown not enabled\r\n')
  assert.equal(reply.META_DONE.toString(), 'HD')
})
