/** Frames made wrong: bytes flipped, dropped, doubled, cut off, spliced; lengths made larger; and plain noise. */
import type { Random } from './random.js'

type Mutation = (frame: string, random: Random, other: string) => string

const flip: Mutation = (frame, random) => {
  const at = random.below(frame.length)
  const bit = 1 << random.below(8)
  return frame.slice(0, at) + String.fromCharCode(frame.charCodeAt(at) ^ bit) + frame.slice(at + 1)
}

const drop: Mutation = (frame, random) => {
  const at = random.below(frame.length)
  return frame.slice(0, at) + frame.slice(at + 1 + random.below(4))
}

const double: Mutation = (frame, random) => {
  const at = random.below(frame.length)
  const end = at + 1 + random.below(12)
  return frame.slice(0, end) + frame.slice(at)
}

const truncate: Mutation = (frame, random) => frame.slice(0, random.below(frame.length))

const splice: Mutation = (frame, random, other) =>
  frame.slice(0, random.below(frame.length)) + other.slice(random.below(other.length))

/** Lengths, deltas, times: numbers just past every bound that a parser may have. */
const enlarge: Mutation = (frame, random) => {
  const sizes = ['0', '1', '249', '251', '2049', '65536', '1048577', '2147483647', '4294967296', '18446744073709551616']
  const numbers = [...frame.matchAll(/\d+/g)]
  if (numbers.length === 0) return frame
  const number = random.pick(numbers)
  return frame.slice(0, number.index) + random.pick(sizes) + frame.slice(number.index + number[0].length)
}

const noise: Mutation = (frame, random) => {
  const at = random.below(frame.length + 1)
  return frame.slice(0, at) + random.bytes(1 + random.below(40)) + frame.slice(at)
}

const mutations = [flip, flip, drop, double, truncate, splice, enlarge, enlarge, noise]

/** One frame: mostly a frame of the corpus with one to four faults, sometimes as it is, sometimes nothing but noise. */
export function wildFrame(frames: readonly string[], random: Random): string {
  if (random.chance(10)) return random.bytes(1 + random.below(300))
  let frame = random.pick(frames)
  if (random.chance(5)) return frame
  for (let times = 1 + random.below(4); times > 0; times--)
    frame = random.pick(mutations)(frame === '' ? '\r\n' : frame, random, random.pick(frames))
  return frame
}

/** These take a data block, end the connection, or change what it is for. */
const notAlone = /^ *(set|add|replace|append|prepend|cas|ms|quit|watch|shutdown|lru_crawler)|HTTP\//i

/**
 * One or more whole lines after which a parser is at the start of a line, whatever it made of them: none asks for
 * a data block, none closes, none is too long.
 */
export function lineFrame(frames: readonly string[], random: Random): string {
  const lines = wildFrame(frames, random)
    .split('\n')
    .map((line) => line.slice(0, 500))
    .filter((line) => !notAlone.test(line) && !line.startsWith('\x80'))
  return `${lines.join('\n')}\n`.replace(/^\n/, '')
}

/** Pieces of random size, mostly small. */
export function splitAtRandom(bytes: string, random: Random): string[] {
  const pieces: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + random.below(random.pick([3, 30, 300, 3000]))
    pieces.push(bytes.slice(at, at + size))
    at += size
  }
  return pieces
}
