/** Trying until it is done, and what is told of each try. */
import { setTimeout as sleep } from 'node:timers/promises'
import { LockArgumentError, LockBusyError, LockError, LockLostError, LockWaitTimeoutError } from '../../locks/index.js'
import type { Client } from './clients.js'
import { ExecutionError, ResourceLockedError } from './errors.js'
import { retryDelayMs, type Settings } from './settings.js'

/**
 * What one try came to. With redlock each server votes here; ours have voted inside of the driver, which is the one member, whose
 * word is the first of the clients'.
 */
export interface ExecutionStats {
  readonly membershipSize: number
  readonly quorumSize: number
  readonly votesFor: Set<Client>
  readonly votesAgainst: Map<Client, Error>
}

export interface ExecutionResult {
  readonly attempts: ReadonlyArray<Promise<ExecutionStats>>
}

/** Who votes, and who hears of votes against. */
export interface Voting {
  readonly voter: Client
  /** Aborted: nothing is tried again. */
  readonly ended: AbortSignal
  onAgainst(error: Error): void
}

export interface Done<T> extends ExecutionResult {
  readonly value: T
}

/**
 * `attempt` may wait for `waitMs`, 0 the last time; what it has not waited is waited here. Throws ExecutionError when the last has
 * failed, or a lock that is lost for good, and LockArgumentError, which no further try would mend.
 */
export async function execute<T>(
  voting: Voting,
  settings: Settings,
  attempt: (waitMs: number) => Promise<T>,
): Promise<Done<T>> {
  const retries = settings.retryCount === -1 ? Number.POSITIVE_INFINITY : settings.retryCount
  const attempts: Promise<ExecutionStats>[] = []
  for (;;) {
    const waitMs = attempts.length < retries ? retryDelayMs(settings) : 0
    const nextAt = performance.now() + waitMs
    try {
      const value = await attempt(waitMs)
      attempts.push(voteFor(voting))
      return { value, attempts }
    } catch (error) {
      attempts.push(voteAgainst(voting, error))
      if (waitMs === 0 || isFinal(error) || voting.ended.aborted) throw failed(attempts, error)
      await pauseUntil(nextAt, voting.ended)
    }
  }
}

/** Nothing was tried. */
export function failedAtOnce(voting: Voting, error: unknown): ExecutionError {
  return failed([voteAgainst(voting, error)], error)
}

function failed(attempts: ExecutionResult['attempts'], cause: unknown): ExecutionError {
  const { message } = cause as Error
  const count = attempts.length === 1 ? '' : ` (the last of ${attempts.length} attempts)`
  return new ExecutionError(`${message}${count}`, attempts, { cause })
}

function isFinal(error: unknown): boolean {
  return error instanceof LockLostError
}

async function voteFor({ voter }: Voting): Promise<ExecutionStats> {
  return { membershipSize: 1, quorumSize: 1, votesFor: new Set([voter]), votesAgainst: new Map() }
}

/** Throws what is no answer of a server: a mistake of the caller's, or of ours. */
function voteAgainst(voting: Voting, error: unknown): Promise<ExecutionStats> {
  if (!(error instanceof LockError) || error instanceof LockArgumentError) throw error
  const told = isLocked(error) ? new ResourceLockedError(error.message, { cause: error }) : error
  voting.onAgainst(told)
  const votesAgainst = new Map([[voting.voter, told]])
  return Promise.resolve({ membershipSize: 1, quorumSize: 1, votesFor: new Set(), votesAgainst })
}

function isLocked(error: LockError): boolean {
  return error instanceof LockBusyError || error instanceof LockWaitTimeoutError || error instanceof LockLostError
}

/** Ends early, and well, when the signal aborts. */
async function pauseUntil(atMs: number, signal: AbortSignal): Promise<void> {
  const leftMs = atMs - performance.now()
  if (leftMs > 0) await sleep(leftMs, undefined, { signal }).catch(() => {})
}
