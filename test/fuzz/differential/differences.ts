/** Where Latchkey and memcached 1.6.18 are known to answer differently, and why. */
import type { Command } from './conversation.js'

type Pair = readonly [ours: string, theirs: string]

export interface Allowed {
  readonly name: string
  readonly reason: string
  /** `asked` is all that was sent in one go. The two lines without this difference; as they are when they have none of the kind. */
  evened(ours: string, theirs: string, asked: string): Pair
}

export interface NotAsked {
  readonly name: string
  readonly reason: string
  /** Commands of lane 0 that the two answer differently. */
  readonly example: readonly string[]
  readonly pattern: RegExp
}

export const notAsked: readonly NotAsked[] = [
  {
    name: 'many words',
    pattern:
      /^((incr|decr|touch)( +[^ \r\n]+){4}|(delete|verbosity)( +[^ \r\n]+){3}|(set|add|replace|append|prepend)( +[^ \r\n]+){6}|cas( +[^ \r\n]+){7})/,
    example: ['incr f0.a 1 2 3 4\r\n'],
    reason: '1.6.18 refuses more words than it knows of, later ones pass over them',
  },
  {
    name: 'gat with one word',
    pattern: /^gats? +[^ \r\n]+ *\r?\n/,
    example: ['gat 100\r\n'],
    reason: '1.6.18 takes the word for the time, and answers that there is nothing',
  },
  {
    name: 'leading space',
    pattern: /^ +[a-z]/,
    example: [' get f0.a\r\n'],
    reason: '1.6.18 passes over it, for later ones such a line has no command',
  },
  {
    name: 'short line',
    pattern: /^mn\n/,
    example: ['mn\n'],
    reason: 'under four bytes: later ones refuse any such line',
  },
  {
    name: 'length of M',
    pattern: /^m[gsda] .* M(?:[^ \r\n]{2,})?(?=[ \r\n])/,
    example: ['mg f0.a M\r\n'],
    reason: '1.6.18 wants one letter behind M in any command, later ones look at the first where it means something',
  },
  {
    name: 'odd base64',
    pattern: /^m[gsdae] +(?=[^ ]*[^A-Za-z0-9+/= ])(?=[^ ]*[A-Za-z0-9])[^ ]* .*(?<= )b(?=[ \r\n])/,
    example: ['md f00.a b k\r\n'],
    reason: 'memcached passes over letters that are not of base64, Latchkey refuses the key',
  },
  {
    name: 'late refusal',
    pattern: /^m[ag] .* O[^ \r\n]{32}/,
    example: [`ma f0.a N0 O${'o'.repeat(32)}\r\n`, 'get f0.a\r\n'],
    reason:
      'memcached sees that the opaque is too long when it has read, made, touched or counted already, Latchkey does nothing then',
  },
  {
    name: 'ma T',
    pattern: /^ma (?=.* T)(?!.* M[-D])/,
    example: ['set f0.a 0 0 1\r\n9\r\n', 'ma f0.a T-1\r\n', 'get f0.a\r\n'],
    reason: 'of a number that grows longer memcached gives the old item the new end, which is thrown away',
  },
  {
    name: 'long get',
    pattern: /^gets? (?=.{1900}).*[^ ]{251}/,
    example: ['set f0.a 0 0 1\r\nx\r\n', `get ${'f0.a '.repeat(20_000)}${'k'.repeat(251)}\r\n`],
    reason:
      'Latchkey answers a line that is too long to wait for key by key: what it has told when one of them is too long stays',
  },
  {
    name: 'twenty words',
    pattern: /^m[gsdae]( +[^ \r\n]+){19,23} *\r?\n/,
    example: [`mg f0.a${' k'.repeat(18)}\r\n`],
    reason: '1.6.18 counts the end of a line as a word: 20 are too many for it',
  },
  {
    name: 'me with flags',
    pattern: /^me +[^ \r\n]+ +(?!b *\r?\n)/,
    example: ['me f0.a !\r\n'],
    reason: 'memcached passes over what it does not know behind me and a key, Latchkey refuses it',
  },
  {
    name: 'silent bad length',
    pattern: /^(set|add|replace|append|prepend|cas)( +[^ \r\n]+){3} +[^ \r\n]*[^ 0-9][^ \r\n]*.* noreply\r?\n/,
    example: ['set f0.a 0 0 x noreply\r\nabc\r\n'],
    reason:
      '1.6.18 is silent on a length that is no number when noreply follows it; Latchkey tells: the data block is read as commands',
  },
  {
    name: 'x',
    pattern: /^m[gsdae] .* x(?=[ \r\n])/,
    example: ['ma f0.a x\r\n'],
    reason: 'a flag of md in later ones, which therefore pass over it on others; 1.6.18 does not know it',
  },
  {
    name: 'ma q',
    pattern: /^ma .* q/,
    example: ['ma f0.a N0 q\r\n'],
    reason: '1.6.18 answers ma q when it makes the number; later ones are silent',
  },
]

const badFormat = 'CLIENT_ERROR bad command line format\r'
const unspecific = 'CLIENT_ERROR invalid or duplicate flag\r'

/** Evened when ours is one of these and theirs is that. */
function wording(theirs: string, ...ours: string[]): Allowed['evened'] {
  return (our, their) => (their === theirs && ours.includes(our) ? [theirs, theirs] : [our, their])
}

export const allowed: readonly Allowed[] = [
  { name: 'few words', reason: '1.6.18 says ERROR where later ones tell more', evened: wording('ERROR\r', badFormat) },
  {
    name: 'ma with a long key',
    reason: 'later ones have the same words for all that is wrong with ma',
    evened: wording(badFormat, unspecific),
  },
  {
    name: 'grown too large',
    reason: 'memcached says of an append that would make too large an item that it is not stored, Latchkey why',
    evened: (ours, theirs) =>
      ours === 'SERVER_ERROR object too large for cache\r' && /^(NOT_STORED|NS.*)\r$/.test(theirs)
        ? [ours, ours]
        : [ours, theirs],
  },
  {
    name: 'me with a bad key',
    reason: 'memcached does not say what is wrong with it',
    evened: wording(badFormat, 'CLIENT_ERROR error decoding key\r'),
  },
  {
    name: 'flags of md and ma',
    reason: '1.6.18 has one wording for all that is wrong with them; later ones do so for ma only',
    evened: (ours, theirs) =>
      theirs === unspecific && ours.startsWith('CLIENT_ERROR ') ? [theirs, theirs] : [ours, theirs],
  },
  {
    name: 'opaque at last',
    reason: 'memcached looks at the opaque when it replies: all other faults come first',
    evened: (ours, theirs) =>
      ours === 'CLIENT_ERROR opaque token too long\r' && theirs.startsWith('CLIENT_ERROR ')
        ? [ours, ours]
        : [ours, theirs],
  },
  {
    name: 'many flags',
    reason: '1.6.18 says it in other words',
    evened: wording('CLIENT_ERROR options flags too long\r', 'CLIENT_ERROR options flags are too long\r', unspecific),
  },
  {
    name: 'me',
    reason:
      'size classes and sizes are of each server, as is the moment of the last access; 1.6.18 counts exp downwards, and a key in base64 is told decoded',
    evened: (ours, theirs) => (theirs.startsWith('ME ') ? [bareDebug(ours), bareDebug(theirs)] : [ours, theirs]),
  },
  {
    name: 't with N',
    reason:
      'of an item that mg N or ma N makes memcached tells the end that the flags before t have given it, Latchkey the one it has in the end',
    evened: (ours, theirs, asked) =>
      /^m[ga] .* N/m.test(asked) ? [ours.replace(remaining, ''), theirs.replace(remaining, '')] : [ours, theirs],
  },
  {
    name: 't of the past',
    reason: 'of what is over already memcached tells a number below zero as one of 32 bits without a sign',
    evened: (ours, theirs) => [ours, theirs.replace(/ t42949[67]\d{4}\b/, ' t0')],
  },
  {
    name: 'shutdown',
    reason: '1.6.18 says so in other words',
    evened: wording('ERROR: shutdown not enabled\r', 'SERVER_ERROR: shutdown not enabled\r'),
  },
  {
    name: 'version',
    reason: 'each has its own',
    evened: (ours, theirs) => [ours.replace(/^VERSION \S+/, 'VERSION'), theirs.replace(/^VERSION \S+/, 'VERSION')],
  },
  {
    name: 'k',
    reason: 'memcached tells the key as it was said when it was stored, Latchkey as it is asked',
    evened: (ours, theirs) => [plainKey(ours), plainKey(theirs)],
  },
  {
    name: 'seconds',
    reason: 'between the two, and between a clock that ticks once a second and one that does not, a second may pass',
    evened: (ours, theirs) => nearTimes(ours, theirs),
  },
]

const remaining = / t-?\d+\b/

function bareDebug(line: string): string {
  return line.replace(/^ME .* exp=-?\d+ la=\d+/, 'ME').replace(/ cls=\d+ size=\d+/, '')
}

function plainKey(line: string): string {
  const encoded = /^(HD|VA).* k(\S+) b\b/.exec(line)
  return encoded === null
    ? line
    : line.replace(` k${encoded[2]} b`, ` k${Buffer.from(encoded[2], 'base64').toString('latin1')}`)
}

const times = /(?<= [tl])\d+/g

function nearTimes(ours: string, theirs: string): Pair {
  const their = theirs.match(times) ?? []
  let at = 0
  const evened = ours.replace(times, (time) => {
    const other = their[at++]
    return Math.abs(Number(time) - Number(other)) <= 3 ? other : time
  })
  return [evened, theirs]
}

export const SWALLOWED = 'refused data'
const swallowed = {
  name: SWALLOWED,
  reason:
    '1.6.18 reads the data block of a store that it refuses as commands; later ones drop it where its length is plain',
}

export const listed: readonly { readonly name: string; readonly reason: string }[] = [
  ...notAsked,
  ...allowed,
  swallowed,
]

const minusBehind = {
  name: 'minus behind',
  reason:
    'in a number of 2^63 or more memcached looks for a minus sign, and goes on behind the value in what the memory held before',
}

/** Whether that is why the replies part; what follows has nothing to do with each other. */
export function isMinusBehind(ours: string, theirs: string, all: readonly Command[]): boolean {
  if (!all.some(({ text, protocol }) => protocol === 'binary' || /\d{19}/.test(text))) return false
  // Counted in silence, it shows in whatever is told of the item later.
  if (all.some(({ text }) => /^(incr|decr) .* noreply|^ma .* q/.test(text))) return true
  const our = ours.split('\n')
  const their = theirs.split('\n')
  const at = their.findIndex((line, index) => !evened(our[index] ?? '', line, '').equal)
  if (their[at]?.startsWith(' status 6 ', 2)) return true
  // A data block that was read as a command may stand before it.
  const told = their[at] === 'ERROR\r' ? their[at + 1] : their[at]
  return told === nonNumeric && /^(\d+|VA .*|HD.*)\r$/.test(our[at] ?? '')
}

const nonNumeric = 'CLIENT_ERROR cannot increment or decrement non-numeric value\r'

/** These hang on what is left in memory: it may be that nobody needs them. */
export const byChance: readonly { readonly name: string; readonly reason: string }[] = [minusBehind]

/** What is left of two lines' differences, and the reasons that explain the rest. */
export function evened(ours: string, theirs: string, asked: string): { equal: boolean; reasons: string[] } {
  let pair: Pair = [ours, theirs]
  const reasons: string[] = []
  for (const { name, evened } of allowed) {
    if (pair[0] === pair[1]) break
    const next = evened(pair[0], pair[1], asked)
    if (next[0] !== pair[0] || next[1] !== pair[1]) reasons.push(name)
    pair = next
  }
  return { equal: pair[0] === pair[1], reasons }
}

export function isAsked(command: Command, count: (name: string) => void): boolean {
  // Without the data block.
  const line = command.text.slice(0, command.text.indexOf('\n') + 1)
  const found = notAsked.find(({ pattern }) => pattern.test(line))
  if (found !== undefined) count(found.name)
  return found === undefined
}
