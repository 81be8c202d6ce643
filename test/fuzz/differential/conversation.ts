/** Conversations: some commands on a lane's keys, and how they are sent. */
import { Random } from '../random.js'
import {
  binaryCounters,
  binaryEnds,
  binaryFlushes,
  binaryOthers,
  binaryReaders,
  binaryWriters,
  isBinaryCount,
  isBinaryRead,
} from './binary-commands.js'
import { ITEM_MAX_BYTES, Material, type Palette } from './material.js'
import { metaCounters, metaReaders, metaWriters } from './meta-commands.js'
import { counters, flushes, laterFlushes, type Maker, others, readers, writers } from './text-commands.js'

export type Protocol = 'classic' | 'meta' | 'binary'

export interface Command {
  readonly protocol: Protocol
  /** Which of the lane's connections it goes to: 0 and 1 speak text, `BINARY` the binary protocol. */
  readonly on: number
  /** Characters below 256 are bytes; the others stand for tokens. */
  readonly text: string
  /** It is not sent before all before it is answered; see `actsOf` for who waits, too. */
  readonly waits: boolean
  /** The server is to close the connection, and nothing is sent behind it. */
  readonly closes: boolean
}

export const BINARY = 2

/** once: what need not wait is one write. split: likewise, cut at random. steps: one by one. */
export type Delivery = 'once' | 'split' | 'steps'

export interface Conversation {
  readonly seed: number
  readonly lane: number
  readonly delivery: Delivery
  /** Nobody else talks to the server meanwhile. */
  readonly alone: boolean
  readonly commands: readonly Command[]
}

interface Choice {
  readonly protocol: Protocol
  readonly make: Maker
}

function choices(protocol: Protocol, makers: Readonly<Record<string, Maker>>): Choice[] {
  return Object.values(makers).map((make) => ({ protocol, make }))
}

const classic = [...choices('classic', readers), ...choices('classic', writers)]
const meta = [...choices('meta', metaReaders), ...choices('meta', metaWriters)]
const counting = [...choices('classic', counters), ...choices('meta', metaCounters)]
const odd = choices('classic', others)
const binary = [...choices('binary', binaryReaders), ...choices('binary', binaryWriters)]
const binaryCounting = choices('binary', binaryCounters)
const binaryOdd = choices('binary', binaryOthers)
const binaryFlushing = choices('binary', binaryFlushes)
const flushing = choices('classic', flushes)
const laterFlushing = choices('classic', laterFlushes)

type Flush = 'none' | 'now' | 'later'

/** Few have large values; with `large`, a limit in bytes, all. */
export function conversation(seed: number, lane: number, alone: boolean, large = 0): Conversation {
  const random = new Random(seed)
  const limit = large === 0 && random.below(500) === 0 ? ITEM_MAX_BYTES : large
  const palette: Palette = {
    faults: limit > 0 ? 0 : random.pick([0, 3, 15]),
    shortens: random.chance(20),
    counts: random.chance(35),
    large: limit,
    keys: 1 + random.below(random.pick([1, 3, 7])),
  }
  const delivery = random.chance(5)
    ? 'steps'
    : random.pick<Delivery>(['once', 'once', 'once', 'once', 'once', 'once', 'once', 'split', 'split'])
  const material = new Material(random, palette, lane)
  // Behind a flush at once one that is to come gives memcached back what nobody has asked for meanwhile.
  const flush = !alone ? 'none' : random.pick<Flush>(['now', 'later'])
  const drawn = { text: drawText(random, palette, flush), binary: drawBinary(random, palette, flush) }
  const length = limit > 0 ? 6 : random.chance(3) ? 300 : 10 + random.below(40)
  const speakers = random.pick([[0], [0, 1], [0, 1], [0, 1], [0, 1, BINARY], [0, BINARY], [BINARY]])
  let on = random.pick(speakers)
  const commands = Array.from({ length }, () => {
    if (random.chance(4)) on = random.pick(speakers)
    return command(random.pick(on === BINARY ? drawn.binary : drawn.text), material, on)
  })
  if (random.chance(3)) commands.push(closing(material, random.pick(speakers)))
  return { seed, lane, delivery, alone, commands }
}

/** Each conversation knows some commands only, so that those meet more often than they would among all. */
function drawText(random: Random, { counts }: Palette, flush: Flush): Choice[] {
  const all = [...classic, ...meta, ...(counts ? [...counting, ...counting] : [])]
  const kept = all.filter(() => random.chance(40))
  const some = [
    random.pick(classic),
    random.pick(meta),
    ...(random.chance(20) ? odd : []),
    ...(flush === 'now' ? flushing : flush === 'later' ? laterFlushing : []),
  ]
  return [...kept, ...some]
}

function drawBinary(random: Random, { counts }: Palette, flush: Flush): Choice[] {
  const all = [...binary, ...(counts ? binaryCounting : []), ...(random.chance(20) ? binaryOdd : [])]
  const kept = all.filter(() => random.chance(40))
  return [...kept, random.pick(binary), ...(flush === 'now' ? binaryFlushing : [])]
}

function command({ protocol, make }: Choice, material: Material, on: number): Command {
  const { random } = material
  const text = make(material)
  const waits = holdsToken.test(text) && random.chance(40)
  return { protocol, on, text, waits, closes: false }
}

const holdsToken = /[\u0100-\uffff]/

function closing(material: Material, on: number): Command {
  if (on === BINARY) return { protocol: 'binary', on, text: binaryEnds(material), waits: true, closes: true }
  const long = ['x'.repeat(2049), 'gat '.padEnd(2100, 'k ')]
  const text = material.random.pick(['quit\r\n', 'quit noreply\r\n', 'quit x\r\n', 'GET / HTTP/1.1\r\n', ...long])
  // But for quit memcached drops the replies that have not been sent when it closes.
  return { protocol: 'classic', on, text, waits: !text.startsWith('quit'), closes: true }
}

/**
 * A key that is too long among many: 1.6.18 takes back the replies to what came before in the same read, too. And it lets
 * nobody watch whose replies to what came before are still to be sent.
 */
function startsAnew(text: string): boolean {
  return text.startsWith('watch') || (text.length > 251 && text.startsWith('g') && /^g(et|at)s? .*[^ ]{251}/.test(text))
}

/**
 * The commands, by what can be sent in one go. Whoever speaks on another connection waits for the one before. So does
 * counting behind a read: while memcached holds an item for the reply to a read, it makes a new one of the number, without
 * what writing over the old one keeps.
 */
export function actsOf({ commands, delivery }: Conversation): Command[][] {
  const acts: Command[][] = []
  for (const command of commands) {
    const act = acts.at(-1)
    if (act === undefined || delivery === 'steps' || mustWait(command, act)) acts.push([command])
    else act.push(command)
  }
  return acts
}

function mustWait({ text, waits, on }: Command, act: readonly Command[]): boolean {
  if (waits || act[0].on !== on || startsAnew(text)) return true
  return isCount(text) && act.some((before) => isRead(before.text))
}

function isCount(text: string): boolean {
  return /^(incr|decr|ma) /.test(text) || isBinaryCount(text)
}

function isRead(text: string): boolean {
  return /^(gets?|gats?|mg) /.test(text) || isBinaryRead(text)
}
