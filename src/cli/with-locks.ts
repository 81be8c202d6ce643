/** What the commands for locks share: where they are kept, and how it is told what failed. */
import type { Command } from 'commander'
import { CacheError, InvalidArgumentError } from '../client/index.js'
import {
  createLocks,
  LockArgumentError,
  LockBusyError,
  LockError,
  type LockInfo,
  type Locks,
  LockWaitTimeoutError,
  memcached,
} from '../locks/index.js'
import { exitCodes } from './exit-codes.js'
import { say } from './say.js'
import { addServerFlags, connectionOf, type ServerFlags } from './servers.js'
import { span } from './sizes.js'

export interface LocksFlags extends ServerFlags {
  maxLease?: number
  trustFresh?: boolean
}

export function addLocksFlags(command: Command): Command {
  return addServerFlags(command, 'of which each lock has one')
    .option(
      '--max-lease <span>',
      'longest lease that anybody takes on these servers; one that has restarted is not trusted for so long (default: 1m)',
      span,
    )
    .option('--trust-fresh', 'trust servers however new they are')
    .allowExcessArguments(false)
}

/** Runs `work` with the locks of those servers, and ends the process with what it returns. What fails is told on stderr. */
export async function withLocks(flags: LocksFlags, work: (locks: Locks) => Promise<number>): Promise<void> {
  try {
    await using locks = open(flags)
    process.exitCode = await work(locks)
  } catch (error) {
    const code = exitCodeOf(error)
    if (code === undefined) throw error
    say((error as Error).message)
    process.exitCode = code
  }
}

function open(flags: LocksFlags): Locks {
  const { maxLease, trustFresh } = flags
  const driver = memcached({
    ...connectionOf(flags),
    freshServers: trustFresh ? 'trust' : 'wait',
    ...(maxLease !== undefined && { maxLease }),
  })
  return createLocks(driver, { deadlineMs: flags.deadline })
}

function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof LockArgumentError || error instanceof InvalidArgumentError) return exitCodes.usage
  if (error instanceof LockBusyError || error instanceof LockWaitTimeoutError) return exitCodes.busy
  if (error instanceof LockError || error instanceof CacheError) return exitCodes.unavailable
  return undefined
}

/** `deploy, pid 4711, web-3`: as far as it is known. */
export function holderText({ label, pid, host }: LockInfo): string {
  const known = [label, pid === undefined ? undefined : `pid ${pid}`, host].filter((part) => part !== undefined)
  return known.length === 0 ? 'somebody' : printable(known.join(', '))
}

/** Labels and hosts are what others wrote: no control characters reach the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?')
}
