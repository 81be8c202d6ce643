/** What the memory file asks of the command line: to show how far it is, and that whoever the server becomes may write it. */
import { rmSync, writeFileSync } from 'node:fs'
import type { MemoryFileProgress } from '../server/index.js'
import { identityOf } from './user.js'

const BAR_EVERY_MS = 100
const LINE_EVERY_MS = 2000

/** On a terminal one line that is written again and again; else a line every two seconds, and none when it is soon done. */
export function memoryFileProgress(stream: NodeJS.WriteStream): (progress: MemoryFileProgress) => void {
  let toldAtMs = Number.NEGATIVE_INFINITY
  let before: MemoryFileProgress['doing'] | undefined
  return ({ path, doing, done, total }) => {
    const nowMs = performance.now()
    if (doing !== before && !stream.isTTY) toldAtMs = nowMs
    before = doing
    const isDone = done === total
    if (!isDone && nowMs - toldAtMs < (stream.isTTY ? BAR_EVERY_MS : LINE_EVERY_MS)) return
    toldAtMs = nowMs
    const line = `latchkey: ${doing} ${path}: ${Math.floor((done / total) * 100)} %`
    if (stream.isTTY) stream.write(isDone ? '\r\x1b[K' : `\r\x1b[K${line}`)
    else if (!isDone) stream.write(`${line}\n`)
  }
}

/**
 * What stands in the way of writing it for the user that this process will become. To be asked before anything is loaded: the
 * image that is there is lost once it has been taken over.
 */
export function whyNotWritable(path: string, user: string): string | undefined {
  const probe = `${path}.probe-${process.pid}`
  try {
    const { uid, gid } = identityOf(user)
    process.setegid?.(gid)
    process.seteuid?.(uid)
    writeFileSync(probe, '', { flag: 'wx' })
    rmSync(probe)
    return undefined
  } catch (error) {
    return (error as Error).message
  } finally {
    process.seteuid?.(process.getuid?.() ?? 0)
    process.setegid?.(process.getgid?.() ?? 0)
  }
}
