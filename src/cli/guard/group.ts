/** A process group: a command and all that it started and did not put elsewhere. Its number is that of its first process. */
import { setTimeout as sleep } from 'node:timers/promises'

const lookEveryMs = 20

/** False when no process of the group is left; one that ended and was not waited for by its parent yet counts as there. */
export function signalGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pgid, signal)
    return true
  } catch (error) {
    // EPERM: the members run as somebody else. They are there.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** SIGTERM, which a stopped process would only see when it goes on. */
export function terminateGroup(pgid: number): void {
  signalGroup(pgid, 'SIGTERM')
  signalGroup(pgid, 'SIGCONT')
}

/** SIGTERM now and SIGKILL after `killAfterMs`. Resolves when no process of the group is left, or all are killed. */
export async function endGroup(pgid: number, killAfterMs: number): Promise<void> {
  const killAt = performance.now() + killAfterMs
  terminateGroup(pgid)
  while (signalGroup(pgid, 0)) {
    if (performance.now() >= killAt) return void signalGroup(pgid, 'SIGKILL')
    await sleep(lookEveryMs)
  }
}
