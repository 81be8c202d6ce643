/** Waiting at the gate, in the order that the driver keeps for a lock, and what is done by who holds it. */
import { acquirePart } from '../../acquire.js'
import type { Held } from '../../belief.js'
import { LockLostError } from '../../errors.js'
import type { LeaseKeeper } from '../../lease-keeper.js'
import { linked } from '../../linked.js'
import type { Wanted } from '../../settings.js'
import { PermitRequest } from './request.js'
import { keepMeanwhile } from './slots.js'

/** Who dies while it waits holds up those behind it for so long at most. */
const GATE_TTL_MS = 10_000

/** The gate as those have it who only wait in it: it has no fence, and is renewed while they wait. */
export function waitingAtGate(wanted: Wanted): Wanted {
  const ttlMs = Math.min(wanted.ttlMs, GATE_TTL_MS)
  const guarantee = wanted.guarantee === 'efficiency' ? 'efficiency' : 'lease'
  return { ...wanted, ttlMs, minRemainingMs: ttlMs / 3, guarantee }
}

/** What is done while the gate's server cannot be asked, which takes nothing away but the order. */
export interface Detour<T> {
  find(): Promise<Held | undefined>
  take(held: Held): Promise<T>
}

/**
 * Runs `body` with the gate, which is released when that fails, and else is what the body has made of it. `request` of the body ends also when the gate is
 * lost: somebody else may be in it, and both would wait for what the other has. Then it is waited for once more, as after
 * the loss of anything else on the way. Throws as `acquire` does.
 */
export async function inTurn<T>(
  request: PermitRequest,
  wanted: Wanted,
  body: (gate: LeaseKeeper, request: PermitRequest) => Promise<T>,
  detour?: Detour<T>,
): Promise<T> {
  const { site, places, until, signal, asked } = request
  const find = detour && (() => detour.find())
  for (;;) {
    const held = await acquirePart(site, places.gate, wanted, until, signal, asked, find)
    if (detour !== undefined && held.lease.name !== places.gate) return detour.take(held)
    const gate = keepMeanwhile(site, held)
    const both = linked(signal, gate.signal)
    try {
      return await body(gate, new PermitRequest(site, places, request.wanted, until, both.signal, asked))
    } catch (error) {
      await gate.release()
      if (!(error instanceof LockLostError) || signal.aborted) throw error
      if (request.leftMs() === 0) throw request.unavailable('it was lost while the others were acquired', error)
    } finally {
      both.unlink()
    }
  }
}
