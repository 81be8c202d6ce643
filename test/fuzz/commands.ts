/** Lines of commands on a few keys, with a fault here and there: for asking two servers the same. */
import type { Random } from './random.js'

const keys = ['a', 'b', 'c', 'Zm9v', 'k'.repeat(250)]
// 1.6.18 reads on behind a value of nothing but white space, into what the memory held before, when it wants a number;
// and behind a number of 2^63 or more, for a minus sign. So there is none of these, and it takes many deltas to get there.
const values = [
  ...['', '0', '5', '10', '99', 'abc', '4000000000000000000', 'x'.repeat(300), 'get a', '\r\nx'],
  ...[' 7', '\t+7', '7\0x', '7 x', `${'0'.repeat(30)}7 `],
]
/** Tokens are of each server; but the highest is above all of them, and 42 is below, once so many have been given. */
const highest = 2n ** 64n - 1n
export const TOKENS_BELOW = 42

const deltas = ['0', '1', '7', '1000', '1000000000000000000', 'x', '-1']
const lives = ['0', '100', '2592000', '-1']
const metaGetFlags = [
  'v',
  'k',
  's',
  'f',
  'c',
  'q',
  'O1',
  'Oabc',
  'T100',
  'T0',
  'N100',
  'R10',
  'R1000',
  'Px',
  't',
  'h',
  'u',
  '!',
]
const metaSetFlags = [
  'k',
  'c',
  'q',
  'O2',
  'F7',
  'T100',
  'I',
  'MS',
  'ME',
  'MR',
  'MA',
  'MP',
  'MX',
  'C42',
  `C${highest}`,
  '!',
]
const metaDeleteFlags = ['k', 'q', 'O3', 'I', 'T100', 'C42', `C${highest}`, '!']
const metaArithmeticFlags = [
  'v',
  'k',
  'c',
  't',
  'O4',
  'D5',
  'DX',
  'MI',
  'MD',
  'M+',
  'M-',
  'MX',
  'N100',
  'T100',
  'J7',
  'D1000000000000000000',
  'C42',
  `C${highest}`,
  '!',
]

type Maker = (random: Random) => string

const block: Maker = (random) => {
  const value = random.pick(values)
  return `${value.length}\r\n${value}`
}

const makers: Maker[] = [
  (random) => `${random.pick(['get', 'gets'])} ${some(random, keys, 4)}`,
  (random) => `${random.pick(['gat', 'gats'])} ${random.pick([...lives, 'x'])} ${some(random, keys, 3)}`,
  (random) =>
    `${random.pick(['set', 'add', 'replace', 'append', 'prepend'])} ${random.pick(keys)} ${random.below(9)} ` +
    `${random.pick(lives)} ${withNoreply(block(random), random)}`,
  (random) => `cas ${random.pick(keys)} 0 0 ${block(random).replace('\r\n', ' 42\r\n')}`,
  (random) => `${random.pick(['incr', 'decr'])} ${random.pick(keys)} ${random.pick(deltas)}${quiet(random)}`,
  (random) => `delete ${random.pick(keys)}${random.pick(['', '', ' 0', ' 5'])}${quiet(random)}`,
  (random) => `touch ${random.pick(keys)} ${random.pick([...lives, 'x'])}${quiet(random)}`,
  (random) => `mg ${random.pick(keys)} ${some(random, metaGetFlags, 5)}`,
  (random) => {
    const [length, ...value] = block(random).split('\r\n')
    return `ms ${random.pick(keys)} ${length} ${some(random, metaSetFlags, 3)}\r\n${value.join('\r\n')}`
  },
  (random) => `md ${random.pick(keys)} ${some(random, metaDeleteFlags, 3)}`,
  (random) => `ma ${random.pick(keys)} ${some(random, metaArithmeticFlags, 4)}`,
  (random) => random.pick(['mn', 'flush_all', 'nonsense', 'flush_all 0', 'get a b c Zm9v']),
]

/** Some lines, to be sent at once, each a command with its data block if it has one. */
export function conversation(random: Random): string[] {
  return Array.from({ length: 3 + random.below(25) }, () => `${random.pick(makers)(random)}\r\n`)
}

function some(random: Random, from: readonly string[], most: number): string {
  return Array.from({ length: 1 + random.below(most) }, () => random.pick(from)).join(' ')
}

function quiet(random: Random): string {
  return random.chance(15) ? ' noreply' : ''
}

function withNoreply(dataBlock: string, random: Random): string {
  return random.chance(15) ? dataBlock.replace('\r\n', ' noreply\r\n') : dataBlock
}
