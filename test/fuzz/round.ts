/** One round: wild connections, line-wise connections and honest ones at once, in text and binary, and a sentinel at the end. */
import assert from 'node:assert/strict'
import { setImmediate as tick } from 'node:timers/promises'
import type { ServerProcess } from '../support/process.js'
import { Wire } from '../support/wire.js'
import { honestBinary, wildBinary } from './binary.js'
import { lineFrame, splitAtRandom, wildFrame } from './mutate.js'
import type { Random } from './random.js'

export const framesPerConnection = 20
const wildConnections = 3
const binaryConnections = 2
const lineConnections = 2
export const framesPerRound = framesPerConnection * (wildConnections + binaryConnections + lineConnections)

/** Throws when the server dies, hangs, or answers one request with the reply to another. */
export async function playRound(
  server: ServerProcess,
  frames: readonly string[],
  random: Random,
  id: string,
): Promise<void> {
  const parts: Promise<void>[] = [honest(server, random, id), honestBinary(server, random, id)]
  for (let index = 0; index < wildConnections; index++) parts.push(wild(server, frames, random))
  for (let index = 0; index < binaryConnections; index++) parts.push(wildBinary(server, random, framesPerConnection))
  for (let index = 0; index < lineConnections; index++) parts.push(lineWise(server, frames, random, `${id}-${index}`))
  // All of them, before anything is judged: a dead server is the first thing to know.
  const ends = await Promise.allSettled(parts)
  assert.ok(server.alive(), `${server.name} has died:\n${server.stderr()}`)
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  const wire = await Wire.open(server)
  await wire.send('mn\r\n')
  await wire.expect('MN\r\n')
  wire.close()
}

/** Anything may happen on this connection; nothing of it may reach others. */
async function wild(server: ServerProcess, frames: readonly string[], random: Random): Promise<void> {
  const bytes = Array.from({ length: framesPerConnection }, () => wildFrame(frames, random)).join('')
  const pieces = splitAtRandom(bytes, random)
  const wire = await Wire.open(server)
  await sendPieces(wire, pieces)
  // Whatever it was in the middle of: when the client has said its last, the server closes.
  wire.end()
  await wire.takeToClose()
}

/** After every bundle of lines the parser is at the start of a line, so that the next question gets its answer. */
async function lineWise(server: ServerProcess, frames: readonly string[], random: Random, id: string): Promise<void> {
  const bundles = Array.from({ length: framesPerConnection }, () => splitAtRandom(lineFrame(frames, random), random))
  const wire = await Wire.open(server)
  for (const [index, pieces] of bundles.entries()) {
    const opaque = `l${id}-${index}`
    await sendPieces(wire, [...pieces, `mg ${opaque} k O${opaque}\r\n`])
    const answer = `EN k${opaque} O${opaque}\r\n`
    const got = (await wire.takeUntil(answer)).toString('latin1')
    assert.ok(got.endsWith(answer), `no answer to ${opaque} behind ${shown(pieces.join(''))}; got ${shown(got)}`)
    assert.equal(wire.peek().length, 0, `more than was asked for behind ${shown(pieces.join(''))}`)
  }
  wire.close()
}

/** Ordinary requests, pipelined, each with a name of its own: every reply must be to its request, in order. */
export async function honest(server: ServerProcess, random: Random, id: string): Promise<void> {
  const names = Array.from({ length: 30 }, (_, index) => `h${id}-${index}-${random.below(1e6)}`)
  const values = names.map((name) => `${name}:`.repeat(1 + random.below(40)))
  const wire = await Wire.open(server)
  const sets = names.map((name, index) => `ms ${name} ${values[index].length} k O${name} T60\r\n${values[index]}\r\n`)
  const gets = names.map((name) => `mg ${name} v k O${name}\r\n`)
  await sendPieces(wire, splitAtRandom(sets.join('') + gets.join(''), random))
  for (const name of names) assert.equal((await wire.takeLine()).toString('latin1'), `HD k${name} O${name}\r\n`)
  for (const [index, name] of names.entries()) {
    const head = (await wire.takeLine()).toString('latin1')
    // A wild connection may have flushed everything; it may not have changed anything.
    if (head === `EN k${name} O${name}\r\n`) continue
    assert.equal(head, `VA ${values[index].length} k${name} O${name}\r\n`)
    assert.equal((await wire.take(values[index].length + 2)).toString('latin1'), `${values[index]}\r\n`)
  }
  wire.close()
}

async function sendPieces(wire: Wire, pieces: string[]): Promise<void> {
  for (const piece of pieces) {
    await wire.send(piece)
    await tick()
  }
}

function shown(text: string): string {
  return JSON.stringify(text.length > 1500 ? `${text.slice(0, 1500)}…` : text)
}
