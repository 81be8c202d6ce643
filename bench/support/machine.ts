import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'

export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  kernel: string
  node: string
  memcached: string
  /** `none` where it is not installed, undefined in results from before it was asked for. */
  redis?: string
  /** The commit that was measured; a `+` says that the tree differed from it. */
  commit: string
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0].model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    memcached: output('memcached', '-V').replace('memcached ', ''),
    redis: /v=(\S+)/.exec(output('redis-server', '--version'))?.[1] ?? 'none',
    commit: output('git', 'describe', '--always', '--dirty=+'),
  }
}

function output(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'none'
  }
}
