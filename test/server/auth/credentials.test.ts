import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Credentials, sealAccounts } from '#dist/server/auth/credentials.js'
import { readPasswordFile } from '#dist/server/auth/password-file.js'

const dir = mkdtempSync(join(tmpdir(), 'latchkey-auth-'))
const path = join(dir, 'users')
after(() => rmSync(dir, { recursive: true, force: true }))

function read(text: string | Uint8Array) {
  writeFileSync(path, text)
  return readPasswordFile(path)
}

function letsIn(text: string) {
  const credentials = new Credentials(structuredClone(sealAccounts(read(text))))
  return (user: string, password: string) => credentials.check(Buffer.from(user), Buffer.from(password))
}

test('lines end with LF or CRLF, the last one need not end', () => {
  const check = letsIn('ada:one\r\nbob:two\neve:three')
  for (const [user, password] of [
    ['ada', 'one'],
    ['bob', 'two'],
    ['eve', 'three'],
  ] as const) {
    assert.equal(check(user, password), true, user)
  }
})

test('all of the user and all of the password have to be right, together', () => {
  const check = letsIn('ada:one\nbob:two\n')
  for (const [user, password] of [
    ['ada', 'two'],
    ['ada', 'on'],
    ['ada', 'onee'],
    ['ad', 'aone'],
    ['adao', 'ne'],
    ['', 'adaone'],
    ['ada', ''],
    ['', ''],
    ['Ada', 'one'],
    ['ada', 'one\r'],
  ] as const) {
    assert.equal(check(user, password), false, `${user} ${password}`)
  }
})

test('a password may hold colons and spaces, and bytes that are no text; a user may have two', () => {
  const check = letsIn('ada:one:1\nada:p w\nbob:ünï\n')
  assert.ok(check('ada', 'one:1') && check('ada', 'p w') && check('bob', 'ünï'))
  const bytes = new Credentials(sealAccounts(read(Buffer.from([97, 58, 0xff, 0xfe, 10]))))
  assert.equal(bytes.check(Buffer.from('a'), Buffer.of(0xff, 0xfe)), true)
  assert.equal(bytes.check(Buffer.from('a'), Buffer.of(0xff, 0xfd)), false)
})

test('a line of 255 bytes is a line, and a try that is longer is refused whatever its length', () => {
  const check = letsIn(`a:${'x'.repeat(253)}\n`)
  assert.equal(check('a', 'x'.repeat(253)), true)
  assert.equal(check('a', 'x'.repeat(254)), false)
  assert.equal(check('a'.repeat(100_000), 'x'.repeat(100_000_000)), false)
})

test('256 users are taken, the first and the last let in', () => {
  const check = letsIn(Array.from({ length: 256 }, (_, i) => `user${i}:word${i}\n`).join(''))
  assert.ok(check('user0', 'word0') && check('user255', 'word255'))
  assert.equal(check('user0', 'word255'), false)
})

test('what goes to the threads holds no password, and differs every time', () => {
  const seal = () => Buffer.concat(Object.values(sealAccounts(read('ada:secret\n'))))
  assert.equal(seal().includes('secret'), false)
  assert.notDeepEqual(seal(), seal())
})

test('a file that cannot be meant is refused with the line, and without the password', () => {
  for (const [text, words] of [
    ['', /is empty/],
    ['ada:one\n\nbob:two\n', /line 2: expected user:password/],
    ['# passwords\n', /line 1: expected/],
    ['ada:one\nsecret\n', /line 2: expected/],
    [':secret\n', /line 1: the user has no name/],
    ['ada:\n', /line 1: the password is empty/],
    ['ada:\r\n', /line 1: the password is empty/],
    ['ada:one\rbob:secret\n', /line 1: NUL or CR/],
    ['ada:sec\0ret\n', /line 1: NUL or CR/],
    [`a:${'secret'.repeat(50)}\n`, /line 1: longer than 255 bytes/],
    ['a:b\n'.repeat(257), /has 257 lines, and may have 256/],
  ] as const) {
    assert.throws(
      () => read(text),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'PASSWORD_FILE')
        assert.match(error.message, words)
        assert.ok(!error.message.includes('secret') && error.message.includes(path), error.message)
        return true
      },
    )
  }
  assert.throws(() => readPasswordFile(join(dir, 'nothing')), { code: 'PASSWORD_FILE', message: /cannot be read/ })
  assert.throws(() => readPasswordFile(dir), { code: 'PASSWORD_FILE', message: /cannot be read/ })
})
