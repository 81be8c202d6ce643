/** Classic and meta commands, right and slightly wrong ones. */
import type { Material } from './material.js'

export type Maker = (material: Material) => string

/** `<bytes>…\r\n<data>\r\n`, where `<bytes>` may say less than there is, or nothing that is a number. */
function block(material: Material, words: string): string {
  const value = material.value()
  const length = material.isShort ? wrongLength(material, value.length) : `${value.length}`
  return `${length}${words}${material.lineEnd()}${value}\r\n`
}

/** Never more than there is: the rest of the conversation would be its data. */
function wrongLength({ random }: Material, length: number): string {
  const less = Math.max(0, length - 1 - random.below(3))
  return random.pick([`${less}`, `0${length}`, `+${length}`, '-1', 'x', '-5', '1x'])
}

function stores(command: string): Maker {
  return (m) =>
    `${command}${m.space()}${m.word()} ${m.clientFlags()} ${m.exptime()} ${block(m, `${extra(m)}${m.noreply()}`)}`
}

function extra(m: Material): string {
  return m.isWrong && m.random.chance(20) ? ` ${m.number()}` : ''
}

function counts(command: string): Maker {
  return (m) => `${command} ${m.key()} ${delta(m)}${m.noreply()}${m.lineEnd()}`
}

function delta(m: Material): string {
  return m.isWrong ? m.number() : m.random.pick(['0', '1', '7', '1000', '1000000000000000000', '9223372036854775807'])
}

function keys(m: Material, most: number): string {
  return Array.from({ length: 1 + m.random.below(most) }, () => m.key()).join(m.space())
}

/** One or two keys mostly; now and then so many that the line is longer than any other command may be. */
function manyKeys(m: Material): string {
  return m.random.chance(3) ? keys(m, 300) : keys(m, 5)
}

export const readers: Readonly<Record<string, Maker>> = {
  get: (m) => `get ${manyKeys(m)}${m.lineEnd()}`,
  gets: (m) => `gets ${manyKeys(m)}${m.lineEnd()}`,
  gat: (m) => `gat ${m.exptime()} ${keys(m, 3)}${m.lineEnd()}`,
  gats: (m) => `gats ${m.exptime()} ${keys(m, 3)}${m.lineEnd()}`,
}

export const writers: Readonly<Record<string, Maker>> = {
  set: stores('set'),
  add: stores('add'),
  replace: stores('replace'),
  append: stores('append'),
  prepend: stores('prepend'),
  cas: (m) =>
    `cas ${m.word()} ${m.clientFlags()} ${m.exptime()} ${block(m, `${m.isWrong ? '' : ` ${m.token()}`}${m.noreply()}`)}`,
  delete: (m) => `delete ${m.key()}${m.random.pick(['', '', '', ' 0', ' 5', ' 0 0'])}${m.noreply()}${m.lineEnd()}`,
  touch: (m) => `touch ${m.key()} ${m.exptime()}${m.noreply()}${m.lineEnd()}`,
}

export const counters: Readonly<Record<string, Maker>> = { incr: counts('incr'), decr: counts('decr') }

/** Lines that change nothing. */
export const others: Readonly<Record<string, Maker>> = {
  mn: (m) => `mn${m.random.pick(['', '', ' x'])}${m.lineEnd()}`,
  verbosity: (m) => `verbosity${m.random.pick([' 0', '', ' 0 noreply', ' 0 1'])}${m.lineEnd()}`,
  odd: (m) => `${m.random.pick(oddLines)}${m.lineEnd()}`,
  bare: (m) => `${m.random.pick(commandWords)}${m.random.pick(['', ' ', ' noreply'])}${m.lineEnd()}`,
  garbled: (m) => `${m.random.pick(commandWords)} ${garble(m)}${m.lineEnd()}`,
}

const oddLines = [
  ...['', ' ', 'a', 'ab', 'abc', 'abcd', 'nonsense', ' get a', 'GET a', 'get\ta', 'gets', 'get', 'version', 'mn x y'],
  ...[
    'shutdown',
    'stats nonsense',
    'stats detail',
    'stats detail off',
    'slabs',
    'lru',
    'lru_crawler',
    'mgx a',
    'm',
    'mx a',
  ],
  ...[
    'set',
    'set a',
    'set a 0',
    'set a 0 0',
    'incr',
    'incr a',
    'touch a',
    'gat 0',
    'delete',
    'flush_all x',
    'verbosity x',
  ],
  ...[
    'lru_crawler x',
    'lru x',
    'slabs x',
    'watch x',
    'cache_memlimit',
    'cache_memlimit x',
    'me',
    'mg',
    'ms',
    'md',
    'ma',
  ],
]
const commandWords = [
  ...['get', 'gets', 'gat', 'gats', 'incr', 'decr', 'delete', 'touch', 'mg', 'md', 'ma', 'me', 'mn', 'verbosity'],
]

/** Words that mean nothing, among which are some that do. */
function garble(m: Material): string {
  return Array.from({ length: 1 + m.random.below(30) }, () => m.random.pick([m.key(), m.exptime(), 'noreply', '0']))
    .join(' ')
    .slice(0, 1900)
}

/** Of all lanes. */
export const flushes: Readonly<Record<string, Maker>> = {
  flush: (m) => `flush_all${m.random.pick(['', '', ' 0', ' noreply', ' 0 noreply'])}${m.lineEnd()}`,
  flushOdd: (m) => `flush_all ${m.random.pick(['0', '-1', '-0', '00', 'x', '1x', '+'])}${m.noreply()}${m.lineEnd()}`,
}

/** That do not fall due. */
export const laterFlushes: Readonly<Record<string, Maker>> = {
  flushLater: (m) => `flush_all ${m.random.pick(['1000', '2592000', '2147483647'])}${m.noreply()}${m.lineEnd()}`,
}
