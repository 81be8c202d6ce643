/** Clients as nobody would wish them: deaf, silent in the middle of a request, gone without a word; and ones that pipeline. */
import { setTimeout as sleep } from 'node:timers/promises'
import { splitAtRandom } from '../../fuzz/mutate.js'
import type { Random } from '../../fuzz/random.js'
import { DeafClient } from '../../server/deaf-client.js'
import { Wire } from '../../support/wire.js'

export interface Address {
  readonly host: string
  readonly port: number
  /** Behind it are faults: what does not come may never come. */
  readonly isFaulty?: boolean
}

export interface StrangerFigures {
  pipelined: number
  opened: number
  faults: string[]
}

/** What each of them does, again and again; a connection that fails is opened anew. */
export type Stranger = (server: Address, random: Random, figures: StrangerFigures) => Promise<void>

const REQUESTS = 60
const LARGE_BYTES = 60_000
/** In which a sound connection says something, and after which a faulty one is given up. */
const HANG_MS = 60_000
const PATIENCE_MS = 1500

/** Asks for much, and never reads it. */
const deaf: Stranger = async (server, random) => {
  const client = await DeafClient.open(server)
  client.send(`set large 0 5 ${LARGE_BYTES}\r\n${'v'.repeat(LARGE_BYTES)}\r\n${'get large\r\n'.repeat(60)}`)
  await sleep(500 + random.below(1500))
  client.close()
}

/** Stops in the middle of a request, stays, and goes. */
const silent: Stranger = async (server, random) => {
  const wire = await Wire.open(server)
  const text = 'set silent 0 0 1000\r\nhalf of a value\r\nms silent 10 T5\r\n'
  await wire.send(text.slice(0, random.below(text.length)))
  await sleep(200 + random.below(2000))
  if (random.chance(50)) wire.end()
  await sleep(random.below(200))
  wire.close()
}

/** Half of them go while their replies are on their way. */
const hasty: Stranger = async (server, random) => {
  const wire = await Wire.open(server)
  const key = `hasty:${random.below(50)}`
  const value = `${key}#`.repeat(1 + random.below(300))
  await wire.send(`set ${key} 0 0 ${value.length}\r\n${value}\r\n${`get ${key}\r\n`.repeat(50)}`)
  await sleep(random.below(20))
  if (random.chance(50)) wire.reset()
  else wire.close()
  await sleep(50 + random.below(300))
}

/** Many requests at once, in pieces: every reply is to its own request, in order, or the connection has ended. */
const pipeliner: Stranger = async (server, random, figures) => {
  const id = `p${random.below(1e9)}`
  const names = Array.from({ length: REQUESTS }, (_, i) => `${id}-${i}`)
  const values = names.map((name) => `${name}#`.repeat(1 + random.below(40)))
  const sets = names.map((name, i) => `ms ${name} ${values[i]!.length} k O${name} T60\r\n${values[i]}\r\n`)
  const gets = names.map((name) => `mg ${name} v k O${name}\r\n`)
  const wire = await Wire.open(server)
  for (const piece of splitAtRandom(sets.join('') + gets.join(''), random)) await wire.send(piece)
  const answers = [...names.map((name) => [`HD k${name} O${name}\r\n`]), ...names.map(found)]
  for (const allowed of answers) if (!(await expectOneOf(wire, allowed, server.isFaulty === true, figures))) break
  wire.close()
  // Or these few would be all that the machine has time for.
  await sleep(100 + random.below(400))

  /** An item may have been evicted. */
  function found(name: string, i: number): string[] {
    return [`VA ${values[i]!.length} k${name} O${name}\r\n${values[i]}\r\n`, `EN k${name} O${name}\r\n`]
  }
}

/** False when the connection has ended, or failed. */
async function expectOneOf(
  wire: Wire,
  allowed: string[],
  isFaulty: boolean,
  figures: StrangerFigures,
): Promise<boolean> {
  const waitMs = isFaulty ? PATIENCE_MS : HANG_MS
  const line = (await wire.takeLine(waitMs)).toString('latin1')
  const wanted = allowed.find((answer) => line.endsWith('\n') && answer.startsWith(line))
  const rest = wanted === undefined ? 0 : wanted.length - line.length
  const got = line + (await wire.take(rest, waitMs)).toString('latin1')
  if (got === wanted) figures.pipelined++
  else if (!allowed.some((answer) => answer.startsWith(got)) || !(wire.closed || isFaulty))
    figures.faults.push(`'${got.slice(0, 200)}' in place of '${allowed[0]!.slice(0, 200)}'`)
  return got === wanted
}

export const strangers: Readonly<Record<string, Stranger>> = { deaf, silent, hasty, pipeliner }

export async function behave(
  stranger: Stranger,
  server: Address,
  random: Random,
  figures: StrangerFigures,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    figures.opened++
    try {
      await stranger(server, random, figures)
    } catch (error) {
      // The listener is not there while a thread of the server is replaced, and a proxy may refuse.
      if ((error as NodeJS.ErrnoException).code === undefined) figures.faults.push(String(error))
      await sleep(20)
    }
  }
}
