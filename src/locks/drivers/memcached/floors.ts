/**
 * The floor of fences, where several servers are asked for one lock and its fence is chosen by whoever asks: the greatest fence that a
 * server has been told of. There is a bounded set of floors, shared by the names. On Latchkey a floor is a fence register, which
 * is pinned; on stock memcached it is an item that never expires, and may be evicted.
 */
import { LockUnavailableError } from '../../errors.js'
import { changing, type Line } from './dialect.js'
import { hashOf } from './fences.js'
import { sending } from './outcome.js'

const FLOOR_PREFIX = 'latchkey:quorum:'
/** What Latchkey keeps a key's fence register under. */
const REGISTER_PREFIX = 'latchkey:fence:'
/** Many, so that those who lock different names at one moment seldom overtake each other's fences. */
const FLOORS = 4096
/** Others may raise it at the same moment, each time higher. */
const TRIES = 20

export function floorOf(key: string): string {
  return `${FLOOR_PREFIX}${hashOf(key) % FLOORS}`
}

/** Both are sent at once, over one connection: nobody waits twice. */
export async function raiseOnLatchkey(key: string, fence: bigint, line: Line): Promise<bigint> {
  const floor = floorOf(key)
  const { client } = line
  const reading = client.meta('mg', REGISTER_PREFIX + floor, ['v'], undefined, changing(line))
  // A deletion of what is not there: it is for the register that it leaves.
  const raising = client.meta('md', floor, [`g${fence}`], undefined, changing(line))
  const [before, raised] = await Promise.all([
    sending(key, 'asks', reading, ({ value }) => numberIn(value)),
    sending(key, 'adds', raising, ({ status }) => status !== 'EX'),
  ])
  // Another has raised it between the two.
  return !raised && before <= fence ? fence + 1n : before
}

export async function raiseOnStock(key: string, fence: bigint, line: Line): Promise<bigint> {
  const floor = floorOf(key)
  const options = { ...changing(line), ttl: 0, classic: true }
  for (let tries = 0; tries < TRIES; tries++) {
    const found = await sending(key, 'asks', line.client.gets(floor, changing(line)))
    const before = numberIn(found?.value)
    if (before >= fence) return before
    const value = Buffer.from(`${fence}`)
    const stored =
      found === undefined
        ? await sending(key, 'adds', line.client.add(floor, value, options))
        : (await sending(key, 'adds', line.client.cas(floor, value, found.cas, options))) === 'stored'
    if (stored) return before
  }
  throw new LockUnavailableError(key, `the floor of fences changed ${TRIES} times while it was raised`)
}

/** What is no number was written by somebody else, and is written over. */
function numberIn(value: Buffer | undefined): bigint {
  const text = value?.toString() ?? ''
  return /^\d{1,20}$/.test(text) ? BigInt(text) : 0n
}
