/** One run of `latchkey lock`: acquire, run, release, and the exit code that tells how it went. */
import { constants } from 'node:os'
import { type Lock, LockBusyError, type Locks, LockWaitTimeoutError } from '../locks/index.js'
import { exitCodes } from './exit-codes.js'
import { Guard, GuardError } from './guard/handle.js'
import type { Ending, Terms } from './guard/messages.js'
import { runHeld } from './guard/run.js'
import type { Signals } from './guard/signals.js'
import { say } from './say.js'
import { holderText } from './with-locks.js'

/** Spans are milliseconds. */
export interface LockJob {
  readonly name: string
  readonly command: readonly string[]
  readonly label: string
  readonly ttl: number
  readonly wait: number
  readonly maxHold: number
  readonly killAfter: number
  readonly conflictExitCode: number
  readonly verbose?: boolean
}

/** Resolves with the exit code. Rejects, when the lock cannot be had for other reasons than that another holds it, with those. */
export async function lockAndRun(locks: Locks, signals: Signals, job: LockJob): Promise<number> {
  // Started now, because it takes as long to start as it takes to acquire a lock.
  const guard = new Guard()
  try {
    if (job.verbose && job.wait > 0) await tellHolder(locks, job.name)
    const lock = await acquire(locks, signals, job)
    if (job.verbose) say(`holding ${job.name}, fence ${lock.fence}`)
    // A signal may have come after the lock.
    if (signals.first !== undefined) await lock.release()
    return signals.first === undefined ? await runAndRelease(lock, guard, signals, job) : codeOf(signals.first)
  } catch (error) {
    if (signals.first !== undefined) return codeOf(signals.first)
    if (!(error instanceof LockBusyError || error instanceof LockWaitTimeoutError)) throw error
    say(error.message)
    return job.conflictExitCode
  } finally {
    await guard.dismiss()
  }
}

function acquire(locks: Locks, signals: Signals, job: LockJob): Promise<Lock> {
  const { name, ttl, wait, maxHold, label } = job
  const { killAfterMs, marginMs } = termsOf(job)
  // With less than that the command would be stopped before the first renewal, which comes after a third of the lease.
  const minRemaining = ttl / 3 + killAfterMs + marginMs
  return locks.acquire(name, { ttl, wait, maxHold, label, minRemaining, signal: signals.waiting })
}

/** For timers that come late because the machine is busy: 100 ms to a second, a twentieth of the lease in between. */
function termsOf({ ttl, killAfter }: LockJob): Terms {
  return { killAfterMs: killAfter, marginMs: Math.min(1000, Math.max(100, ttl / 20)) }
}

async function tellHolder(locks: Locks, name: string): Promise<void> {
  const holder = await locks.inspect(name)
  if (holder !== undefined) say(`waiting for ${name}, held by ${holderText(holder)}`)
}

async function runAndRelease(lock: Lock, guard: Guard, signals: Signals, job: LockJob): Promise<number> {
  const why = () => (lock.signal.reason as Error | undefined)?.message ?? `${job.name}: its lease cannot be renewed`
  const { command, ttl } = job
  const tellEveryMs = Math.min(500, ttl / 30)
  const onStopping = () => say(`${why()}: the command is stopped`)
  let code: number
  try {
    code = exitCodeOf(
      await runHeld(guard, lock, signals, { command, terms: termsOf(job), tellEveryMs, onStopping }),
      job,
    )
  } catch (error) {
    if (!(error instanceof GuardError)) throw error
    say(error.message)
    code = exitCodes.noGuard
  }
  const outcome = await lock.release()
  if (outcome === 'unknown') say(`it is not known whether ${job.name} was released; its lease ends by itself`)
  if (outcome !== 'lost' || code === exitCodes.lost || code === exitCodes.noGuard) return code
  say(`${job.name} was lost while the command ran, which ended with ${code}`)
  return exitCodes.lost
}

function exitCodeOf(ending: Ending, { name, command }: LockJob): number {
  switch (ending.how) {
    case 'exit':
      return ending.code
    case 'signal':
      return codeOf(ending.signal)
    case 'stopped':
      if (ending.started) return exitCodes.lost
      say(`too little was left of the lease of ${name} to start the command`)
      return exitCodes.unavailable
    case 'error':
      say(`${command[0]}: ${ending.errno === 'ENOENT' ? 'not found' : `cannot be executed (${ending.errno})`}`)
      return ending.errno === 'ENOENT' ? exitCodes.notFound : exitCodes.notExecutable
  }
}

function codeOf(signal: NodeJS.Signals): number {
  return exitCodes.signal + constants.signals[signal]
}
