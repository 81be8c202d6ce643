import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'

/** A program pinned to one core, or free to roam when `core` is undefined. */
export function startPinned(
  core: number | undefined,
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
): ChildProcess {
  const [command, ...args] = core === undefined ? argv : ['taskset', '-c', String(core), ...argv]
  return spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
}

/** Ends a process that this benchmark started, and waits for its end. SIGKILL after five seconds. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  const killer = setTimeout(() => child.kill('SIGKILL'), 5000)
  child.kill('SIGTERM')
  await ended
  clearTimeout(killer)
}

/**
 * Waits until a line of the child's output matches, and goes on draining it.
 * Rejects with everything seen when the child ends first or ten seconds have passed.
 */
export function outputMatching(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let seen = ''
    const give = (why: string) => {
      clearTimeout(timer)
      reject(new Error(`${child.spawnargs.join(' ')}: ${why}\n${seen}`))
    }
    const timer = setTimeout(() => give('said nothing that was waited for in 10 s'), 10_000)
    child.once('error', (error) => give(error.message))
    child.once('exit', (code, signal) => give(`ended with ${code ?? signal}`))
    const listen = (stream: Readable) =>
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        if (seen.length < 4096) seen += chunk
        const match = pattern.exec(seen)
        if (match === null) return
        clearTimeout(timer)
        resolve(match)
      })
    listen(child.stdout!)
    listen(child.stderr!)
  })
}
