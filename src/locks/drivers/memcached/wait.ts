/** Waiting in the queue of a Latchkey server: one add that is answered when its turn has come, or its time is over. */
import { ConnectionLostError } from '../../../client/index.js'
import { DRIFT } from '../../belief.js'
import type { Claim, ClaimResult } from '../../driver.js'
import { OutcomeUnknownError } from '../../errors.js'
import type { Line } from './dialect.js'
import { add, latchkey, leaseOf } from './latchkey.js'

/** Somewhat below what a timer can wait: 24 days. */
const MOST_MS = 2 ** 31 - 1 - 60_000

/**
 * `line` is a connection of its own, and `other` one for what has to be tidied up. When the signal aborts, the connection is hung up:
 * the server takes the add out of the queue, or has granted it before, and then says so. What it has granted is released.
 */
export async function wait(claim: Claim, line: Line, other: () => Promise<Line>): Promise<ClaimResult> {
  const { clock, deadlineMs, signal } = line.call
  const waitMs = Math.floor(Math.min(claim.waitMs, MOST_MS - deadlineMs))
  signal?.throwIfAborted()
  const sentAt = clock.now()
  const answer = endedBy(
    signal,
    line,
    add(claim, waitMs, line, waitMs + deadlineMs, (added) => added),
  )
  const { cas, waitedMs } = await answer.catch((error) => {
    if (signal?.aborted) return leave(signal.reason, other, (line) => releaseUnanswered(error, claim, line))
    throw error
  })
  if (cas === undefined) {
    signal?.throwIfAborted()
    return { status: 'busy', found: await latchkey.find(claim.key, line).catch(() => undefined), queued: true }
  }
  if (signal?.aborted) return leave(signal.reason, other, (line) => latchkey.release(claim.key, cas, line))
  return { status: 'held', lease: leaseOf(claim, cas, sentAt + shortestMs(waitedMs)) }
}

async function endedBy<R>(signal: AbortSignal | undefined, { client }: Line, answer: Promise<R>): Promise<R> {
  const hangUp = () => void client.hangUp()
  signal?.addEventListener('abort', hangUp, { once: true })
  try {
    return await answer
  } finally {
    signal?.removeEventListener('abort', hangUp)
  }
}

/** What the server counted, by a clock of ours that may be slower by the drift that leases allow for. */
function shortestMs(waitedMs: number): number {
  return waitedMs * (1 - DRIFT)
}

/** Rejects with the abort's reason once nothing of the claim is left; with OutcomeUnknownError when that cannot be told. */
async function leave(
  reason: unknown,
  other: () => Promise<Line>,
  tidy: (line: Line) => Promise<unknown>,
): Promise<never> {
  try {
    await tidy(await other())
  } catch {
    throw new OutcomeUnknownError(reason)
  }
  throw reason
}

/** A server that has ended the connection itself will not grant any more, but may have. */
async function releaseUnanswered(error: unknown, { key, holder }: Claim, line: Line): Promise<void> {
  if (!(error instanceof OutcomeUnknownError)) return
  if (!(error.cause instanceof ConnectionLostError && error.cause.byServer)) throw error
  const found = await latchkey.find(key, line)
  if (found?.holder.owner === holder.owner) await latchkey.release(key, found.version, line)
}
