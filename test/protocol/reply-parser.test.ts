/** Replies as a client reads them: whole, cut anywhere, and wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isError, NO_OPAQUE, type Reply, ReplyError, ReplyParser, Status } from 'latchkey/protocol'

interface Seen {
  status: Status
  text: string
  value: string
  opaque: number
  flags: number
  cas: bigint | undefined
  marks: string
}

/** Every reply in the pieces, copied while it is true. The pieces are spoiled afterwards, as a reused buffer is. */
function replies(pieces: Buffer[]): Seen[] {
  const parser = new ReplyParser()
  const seen: Seen[] = []
  for (const piece of pieces) {
    const chunk = Buffer.from(piece)
    parser.feed(chunk, (reply) => seen.push(copy(reply)))
    chunk.fill(0)
  }
  return seen
}

function copy(reply: Reply): Seen {
  const marks = `${reply.stale ? 'X' : ''}${reply.lost ? 'Z' : ''}`
  const { status, opaque, flags } = reply
  return { status, text: reply.text(), value: reply.value().toString('latin1'), opaque, flags, cas: reply.cas(), marks }
}

const one = (text: string) => replies([Buffer.from(text, 'latin1')])[0]

test('every status word', () => {
  const words: [line: string, status: Status, text?: string][] = [
    ['HD', Status.Done],
    ['EN', Status.Miss],
    ['NS', Status.NotStored],
    ['EX', Status.Exists],
    ['NF', Status.NotFound],
    ['MN', Status.Noop],
    ['ME key exp=-1 la=2', Status.Debug, 'key exp=-1 la=2'],
    ['END', Status.End],
    ['STORED', Status.Stored],
    ['NOT_STORED', Status.ClassicNotStored],
    ['EXISTS', Status.ClassicExists],
    ['NOT_FOUND', Status.ClassicNotFound],
    ['DELETED', Status.Deleted],
    ['TOUCHED', Status.Touched],
    ['OK', Status.Ok],
    ['RESET', Status.Reset],
    ['VERSION 1.6.18', Status.Version, '1.6.18'],
    ['STAT pid 12', Status.Stat, 'pid 12'],
    ['18446744073709551615', Status.Number, '18446744073709551615'],
    ['ERROR', Status.Error],
    ['CLIENT_ERROR bad data chunk', Status.ClientError, 'bad data chunk'],
    ['SERVER_ERROR out of memory', Status.ServerError, 'out of memory'],
    ['BUSY currently processing crawler request', Status.ServerError, 'currently processing crawler request'],
    ['BADCLASS invalid class id', Status.ClientError, 'invalid class id'],
    ['SERVER_ERROR: shutdown not enabled', Status.ServerError, 'shutdown not enabled'],
  ]
  for (const [line, status, text = ''] of words) {
    const seen = one(`${line}\r\n`)
    assert.deepEqual([seen.status, seen.text, seen.value], [status, text, ''], line)
    assert.equal(isError(seen.status), /ERROR|BUSY|BADCLASS/.test(line))
  }
})

test('values with their flags and tokens', () => {
  const meta = one('VA 5 f7 c18446744073709551615 O42 W X Z\r\nab\r\nc\r\n')
  assert.deepEqual(meta, {
    status: Status.Value,
    text: 'f7 c18446744073709551615 O42 W X Z',
    value: 'ab\r\nc',
    opaque: 42,
    flags: 7,
    cas: 18446744073709551615n,
    marks: 'XZ',
  })
  const classic = one('VALUE the:key 4294967295 0 17\r\n\r\n')
  assert.deepEqual(
    [classic.status, classic.text, classic.flags, classic.cas, classic.opaque],
    [Status.ClassicValue, 'the:key', 4294967295, 17n, NO_OPAQUE],
  )
  assert.equal(one('VALUE k 0 1\r\nx\r\n').cas, undefined)
})

test('nothing of a reply stays behind in the next', () => {
  const [, second] = replies([Buffer.from('VA 1 f7 c9 O42 W X Z\r\nx\r\nHD\r\n')])
  assert.deepEqual(second, {
    status: Status.Done,
    text: '',
    value: '',
    opaque: NO_OPAQUE,
    flags: 0,
    cas: undefined,
    marks: '',
  })
})

test('cut anywhere, the replies are the same', () => {
  const line = fc.constantFrom('HD O1', 'EN O2', 'MN', 'END', 'STORED', 'NF O3', 'SERVER_ERROR out of memory', '12')
  const value = fc
    .tuple(fc.uint8Array({ maxLength: 3000 }), fc.boolean())
    .map(([bytes, meta]) =>
      Buffer.concat([
        Buffer.from(meta ? `VA ${bytes.length} f1 c77 O9\r\n` : `VALUE key 1 ${bytes.length} 77\r\n`),
        bytes,
        Buffer.from('\r\n'),
      ]),
    )
  const reply = fc.oneof(
    line.map((text) => Buffer.from(`${text}\r\n`)),
    value,
  )
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 2500 })), { minLength: 1 })
  fc.assert(
    fc.property(fc.array(reply, { minLength: 1, maxLength: 8 }), sizes, (parts, lengths) => {
      const whole = Buffer.concat(parts)
      const pieces: Buffer[] = []
      for (let at = 0, i = 0; at < whole.length; i++) {
        const length = lengths[i % lengths.length]
        pieces.push(whole.subarray(at, at + length))
        at += length
      }
      assert.deepEqual(replies(pieces), replies([whole]))
      assert.equal(replies([whole]).length, parts.length)
    }),
    { numRuns: 400, seed: 20_261_121 },
  )
})

test('what is no reply is refused', () => {
  const wrong = [
    'NOPE\r\n',
    '\r\n',
    'HD\n',
    'VA\r\n',
    'VA x\r\n',
    'VA -1\r\n',
    'VA 1 fx\r\na\r\n',
    'VA 1 O\r\na\r\n',
    'VA 2 f0\r\nabc\r\n',
    'VA 2 f0\r\na\r\n\r\n',
    'VALUE key\r\n',
    'VALUE key 0\r\n',
    'VALUE key 0 x\r\n',
    `VA ${2 ** 30 + 1}\r\n`,
    'X'.repeat(17_000),
  ]
  for (const text of wrong) assert.throws(() => one(text), ReplyError, JSON.stringify(text.slice(0, 40)))
  const late = `VA 2000\r\n${'x'.repeat(2000)}`
  assert.throws(() => replies([Buffer.from(late), Buffer.from('\n\n')]), ReplyError)
  assert.throws(() => replies([Buffer.from(late), Buffer.from('\r'), Buffer.from('x')]), ReplyError)
})

test('a large value has a buffer of its own', () => {
  const parser = new ReplyParser()
  let kept: Buffer | undefined
  const take = (reply: Reply) => {
    kept = reply.value()
  }
  parser.feed(Buffer.from(`VA 5000 O1\r\n${'x'.repeat(100)}`), take)
  parser.feed(Buffer.from('x'.repeat(4900)), take)
  parser.feed(Buffer.from('\r\n'), take)
  assert.equal(kept?.buffer.byteLength, 5000)
})

test('lines of a list of keys end without a carriage return, and no others do', () => {
  const text = 'key=a%20b exp=-1 cas=7\nkey=c exp=5 cas=8\nEND\r\n'
  for (let cut = 0; cut <= text.length; cut++) {
    const seen = replies([text.slice(0, cut), text.slice(cut)].map((piece) => Buffer.from(piece)))
    assert.deepEqual(
      seen.map(({ status, text }) => [status, text]),
      [
        [Status.Dumped, 'a%20b exp=-1 cas=7'],
        [Status.Dumped, 'c exp=5 cas=8'],
        [Status.End, ''],
      ],
    )
  }
  for (const wrong of ['HD\n', 'END\n', 'key\n', '\n', 'xkey=a\n']) assert.throws(() => one(wrong), ReplyError, wrong)
})
