/** Meta commands: any of their flags in any order, and flags that are none. */
import type { Material } from './material.js'
import type { Maker } from './text-commands.js'

type Flags = Readonly<Record<string, (m: Material) => string>>

const bare = (letters: string): Flags => Object.fromEntries([...letters].map((letter) => [letter, () => letter]))
const ttl = (m: Material) => m.exptime()

const shared: Flags = {
  ...bare('kq'),
  O: (m) => `O${m.isWrong ? 'o'.repeat(m.random.pick([0, 30, 31, 32, 33])) : m.random.pick(['1', 'abc', 'c5'])}`,
}
const getFlags: Flags = {
  ...shared,
  ...bare('cfhlstvu'),
  T: (m) => `T${ttl(m)}`,
  N: (m) => `N${ttl(m)}`,
  R: (m) => `R${m.random.pick(['10', '500', '5000', '0', '-1'])}`,
  P: () => 'Px',
  L: () => 'L1',
}
const setFlags: Flags = {
  ...shared,
  ...bare('c'),
  F: (m) => `F${m.clientFlags()}`,
  T: (m) => `T${ttl(m)}`,
  M: (m) => `M${m.random.pick([...'SSEARP', ...(m.isWrong ? ['X', '', 'set', 's', 'e'] : [])])}`,
  C: (m) => `C${m.token()}`,
}
/** What is too large takes the old value with it, or not, as the mode and the token say: see docs/PROTOCOL.md. */
const { C: _, M: __, ...largeSetFlags } = setFlags
/** Which token is the older one, only those of one key tell. */
const invalidating: Flags = {
  ...setFlags,
  I: () => 'I',
  C: (m) => `C${m.keys.length === 1 ? m.givenToken() : m.random.pick(['1', '18446744073709551615'])}`,
}
const deleteFlags: Flags = { ...shared, I: () => 'I', T: (m) => `T${ttl(m)}`, C: (m) => `C${m.token()}` }
const arithmeticFlags: Flags = {
  ...shared,
  ...bare('vct'),
  N: (m) => `N${ttl(m)}`,
  T: (m) => `T${ttl(m)}`,
  J: (m) => `J${m.number()}`,
  D: (m) => `D${m.isWrong ? m.number() : m.random.pick(['0', '1', '5', '1000000000000000000'])}`,
  M: (m) => `M${m.random.pick([...'ID+-', ...(m.isWrong ? ['X', '', 'i', 'incr'] : [])])}`,
  C: (m) => `C${m.token()}`,
}

const wrongFlags = [
  ...'!1_~\x80',
  'b',
  'O',
  'T',
  'N',
  'R',
  'F',
  'J',
  'D',
  'C',
  'M',
  'Tx',
  'B',
  'Z',
  'W',
  'A',
  'Fx',
  'kx',
  'v5',
  'x',
]

/** The letters asked are drawn without repetition; a fault may repeat one. */
function flags(m: Material, from: Flags, most: number): string {
  const letters = Object.keys(from)
  let text = ''
  for (let left = m.random.below(most + 1); left > 0 && letters.length > 0; left--) {
    const [letter] = letters.splice(m.random.below(letters.length), 1)
    text += `${m.space()}${from[letter](m)}`
    if (m.isWrong && m.random.chance(20)) text += ` ${m.random.chance(30) ? letter : m.random.pick(wrongFlags)}`
  }
  if (m.isWrong && m.random.chance(5)) text += ' P'.repeat(1 + m.random.below(25))
  return text
}

/** A key, as it is or in base64, with the flag that says so. */
function keyWords(m: Material): [key: string, flag: string] {
  const key = m.key()
  const plain = /^[!-~\x80-\xff]*$/.test(key)
  if (plain && (!m.random.chance(10) || (key.length > 187 && !m.isWrong))) return [key, '']
  const text = Buffer.from(key, 'latin1').toString('base64')
  return [m.isWrong ? m.random.pick(['Z', '====', '!!!!', `${text}=`, text.slice(0, -1)]) : text, `${m.space()}b`]
}

function simple(command: string, from: Flags, most: number): Maker {
  return (m) => {
    const [key, b64] = keyWords(m)
    return `${command} ${key}${b64}${flags(m, from, most)}${m.lineEnd()}`
  }
}

export const metaReaders: Readonly<Record<string, Maker>> = { mg: simple('mg', getFlags, 6), me: simple('me', {}, 0) }

export const metaWriters: Readonly<Record<string, Maker>> = {
  ms: (m) => {
    const [key, b64] = keyWords(m)
    const value = m.value()
    const length = m.isShort ? m.random.pick([value.length - 1, 'x', '-1', `0${value.length}`]) : value.length
    return `ms ${key} ${length}${b64}${flags(m, m.palette.large > 0 ? largeSetFlags : m.random.chance(70) ? setFlags : invalidating, 4)}${m.lineEnd()}${value}\r\n`
  },
  md: simple('md', deleteFlags, 4),
}

export const metaCounters: Readonly<Record<string, Maker>> = { ma: simple('ma', arithmeticFlags, 5) }
