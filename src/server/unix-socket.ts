/**
 * The file of a Unix socket: taken, given its permissions, and taken away again. Never is anything deleted that is not a
 * socket, and that nobody listens on.
 */
import { chmodSync, lstatSync, renameSync, rmSync, type Stats, statSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'

/** What the kernel's address has room for, without the zero at its end; libuv would cut off the rest without a word. */
const PATH_BYTES_MAX = process.platform === 'linux' ? 107 : 103

/** Throws `RangeError` for a path that no socket can have. */
export function checkSocketPath(path: string): void {
  const length = Buffer.byteLength(path)
  if (length >= 1 && length <= PATH_BYTES_MAX && !path.includes('\0')) return
  throw new RangeError(`the path of a Unix socket has 1 to ${PATH_BYTES_MAX} bytes, and this one ${length}: ${path}`)
}

/** Makes room for a socket at `path`: one that nobody answers on is left over from a crash, and is removed. */
export async function freeSocketPath(path: string): Promise<void> {
  const found = entryAt(path)
  if (found === undefined) {
    // What the system says of a directory that is not there is that access is denied.
    statSync(dirname(path))
    return
  }
  if (!found.isSocket()) throw failure('EEXIST', `${path} is there already, and is no socket: it stays as it is`)
  const answer = await knock(path)
  if (answer === 'ECONNREFUSED') rmSync(path)
  else if (answer !== 'ENOENT')
    throw failure(answer === 'EACCES' ? 'EACCES' : 'EADDRINUSE', `listen ${answer}: ${path}`)
}

/** A socket file that is ours, by its number in the file system. */
export class SocketFile {
  readonly #path: string
  /** Numbers of files are given again, so the time it was made goes with it. */
  readonly #made: Stats

  /** `mode` counts as it is: the process' umask takes nothing away from it, as in memcached. */
  constructor(path: string, mode: number) {
    this.#path = path
    // Nobody can have connected before: it is bound, but not listened on.
    chmodSync(path, mode)
    this.#made = lstatSync(path)
  }

  /**
   * Closes what listens on it. libuv then deletes whatever lies at the path: what is not ours any more is out of its way for
   * that moment.
   */
  close(listening: { close(): void }): void {
    const aside = `${this.#path}.${process.pid}`
    const moved = this.#isOther() && moves(this.#path, aside)
    listening.close()
    if (moved) moves(aside, this.#path)
  }

  #isOther(): boolean {
    const found = entryAt(this.#path)
    return found !== undefined && (found.ino !== this.#made.ino || found.birthtimeMs !== this.#made.birthtimeMs)
  }
}

/** Where that is not allowed, deleting is not either. */
function moves(from: string, to: string): boolean {
  try {
    renameSync(from, to)
    return true
  } catch {
    return false
  }
}

/** Of a link, the link itself. */
function entryAt(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false })
}

/** The code of what happens when one connects; `CONNECTED` when somebody is there. */
function knock(path: string): Promise<string> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.on('connect', () => {
      probe.destroy()
      resolve('CONNECTED')
    })
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
  })
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
