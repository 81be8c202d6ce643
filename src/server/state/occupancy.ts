/**
 * One server a place: a directory, or a file in it. Each has a Unix socket there whose name begins with the place's and goes on
 * with its own, and before it goes on connects to all others: one that answers belongs to a server that lives, one that
 * refuses was left by one that died.
 *
 * A socket gets its name only once it listens, so that none with a name refuses while its server is just starting;
 * and it is made before the others are looked at. So of two servers at least one sees the other, and gives up. When
 * both start at the same moment both may.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'

const ENDING = /^-[0-9a-f]{16}\.sock$/
/** Of an address of a Unix socket; Linux takes a few more bytes. */
const ADDRESS_MAX = 100

/** A place that is this server's. */
export interface Occupancy {
  /** A server before it has not given it up, but died. */
  readonly wasLeft: boolean
  /** Gives it up. */
  leave(): void
}

/** Takes the place `place` of the directory, or rejects with what is in the way as message. */
export async function occupy(dir: string, place = 'locks'): Promise<Occupancy> {
  const name = `${place}-${randomBytes(8).toString('hex')}.sock`
  const short = shortened(dir, `${name}.new`)
  let wasLeft = false
  const server = createServer((socket) => socket.destroy()).unref()
  const leave = () => {
    server.close()
    try {
      rmSync(join(dir, name), { force: true })
    } catch {
      // A directory that cannot be written any more. Nobody answers at what is left: the next start clears it away.
    }
    short.close()
  }
  try {
    await listen(server, join(short.path, `${name}.new`))
    renameSync(join(dir, `${name}.new`), join(dir, name))
    for (const other of readdirSync(dir)) {
      if (other === name || !other.startsWith(place) || !ENDING.test(other.slice(place.length))) continue
      if (await isServed(join(short.path, other))) throw new Error('it is in use by another server')
      rmSync(join(dir, other), { force: true })
      wasLeft = true
    }
    return { wasLeft, leave }
  } catch (error) {
    leave()
    throw error
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
}

/** Only a refusal, or that it is gone, says that nobody is there: what we may not ask may be alive. */
function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'))
  })
}

/** Addresses of sockets have little room: a long path is reached through the open directory. */
function shortened(dir: string, name: string): { path: string; close: () => void } {
  if (Buffer.byteLength(join(dir, name)) <= ADDRESS_MAX) return { path: dir, close: () => undefined }
  if (process.platform !== 'linux') throw new Error('its path is too long for a socket in it')
  const directory = openSync(dir, 'r')
  return { path: `/proc/self/fd/${directory}`, close: () => closeSync(directory) }
}
