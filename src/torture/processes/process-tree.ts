/** A process and its children, as PostgreSQL has them: what befalls a server befalls them all. */
import { readFileSync } from 'node:fs'

/** In the order in which they were started; those of its main thread. None where the kernel does not tell. */
export function childrenOf(pid: number): number[] {
  return words(`/proc/${pid}/task/${pid}/children`).map(Number)
}

/** To all of them; to whoever has ended meanwhile, nothing. Tells who they were. */
export function signalTree(pid: number, signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): number[] {
  // Who is stopped starts no others. And whoever is killed first is no parent any more.
  if (signal === 'SIGKILL') signalOne(pid, 'SIGSTOP')
  if (signal === 'SIGSTOP') signalOne(pid, signal)
  const children = childrenOf(pid)
  for (const child of children) signalOne(child, signal)
  signalOne(pid, signal)
  return [pid, ...children]
}

/** Also of one that has ended, and that nobody has asked for its end. */
export function hasEnded(pid: number): boolean {
  const stat = words(`/proc/${pid}/stat`)
  // The name, in parentheses, may have spaces in it.
  const state = stat[stat.findLastIndex((word) => word.endsWith(')')) + 1]
  return state === undefined || state === 'Z' || state === 'X'
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}

function words(path: string): string[] {
  try {
    return readFileSync(path, 'latin1').split(/\s+/).filter(Boolean)
  } catch {
    return []
  }
}
