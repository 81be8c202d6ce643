import { readdirSync, readFileSync } from 'node:fs'

/**
 * CPU time that a process has used, all threads, in nanoseconds.
 * `schedstat` counts nanoseconds where `stat` counts ticks of 10 ms: with a tick, a run of half a second could be 2 % off.
 * Threads that have ended are no longer listed, so only differences over a span without thread exits mean something.
 */
export function processCpuNs(pid: number): number {
  const tasks = `/proc/${pid}/task`
  return readdirSync(tasks).reduce((sum, task) => sum + threadCpuNs(`${tasks}/${task}/schedstat`), 0)
}

function threadCpuNs(path: string): number {
  try {
    return Number(readFileSync(path, 'latin1').split(' ', 1)[0])
  } catch (error) {
    if (threadHasEnded(error)) return 0
    throw error
  }
}

function threadHasEnded(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ESRCH'
}

const tickNs = 10_000_000

/** Busy time of one core since boot, whoever caused it, time stolen by the hypervisor included; ticks of 10 ms. */
export function coreBusyNs(core: number): number {
  const line = readFileSync('/proc/stat', 'latin1')
    .split('\n')
    .find((candidate) => candidate.startsWith(`cpu${core} `))
  if (line === undefined) throw new Error(`no core ${core} in /proc/stat`)
  const [user, nice, system, , , irq, softirq, steal] = line.split(/\s+/).slice(1).map(Number)
  return (user + nice + system + irq + softirq + steal) * tickNs
}
