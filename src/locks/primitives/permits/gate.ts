/** Waiting at the gate, in the order that the driver keeps for a lock, and what is done by who holds it. */
import { Backoff } from '../../../time/index.js'
import { acquirePart } from '../../acquire.js'
import type { Held } from '../../belief.js'
import { LockAmbiguousError, LockLostError } from '../../errors.js'
import type { LeaseKeeper } from '../../lease-keeper.js'
import { linked } from '../../linked.js'
import { pause } from '../../pause.js'
import type { Setback, Wanted } from '../../settings.js'
import { callOf, mayPass, type Site } from '../../site.js'
import { PermitRequest } from './request.js'
import { keepMeanwhile } from './slots.js'

/** Who dies while it waits holds up those behind it for so long at most. */
const GATE_TTL_MS = 10_000
/** Between the questions whether its server answers again. */
const RETRY_LEAST_MS = 25
const RETRY_MOST_MS = 1000

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
  for (;;) {
    const held = await acquireGate(request, wanted, detour)
    if (held === undefined) continue
    if (detour !== undefined && held.lease.name !== places.gate) return detour.take(held)
    const gate = keepMeanwhile(site, held)
    const both = linked(signal, gate.signal)
    try {
      return await body(gate, new PermitRequest(site, places, request.wanted, until, both.signal, asked))
    } catch (error) {
      await gate.release()
      if (!(error instanceof LockLostError)) throw error
      signal.throwIfAborted()
      if (request.leftMs() === 0) throw request.unavailable('it was lost while the others were acquired', error)
    } finally {
      both.unlink()
    }
  }
}

/** undefined: it is to be asked for again. */
async function acquireGate<T>(
  request: PermitRequest,
  wanted: Wanted,
  detour: Detour<T> | undefined,
): Promise<Held | undefined> {
  const { site, places, until, asked } = request
  if (detour === undefined) return acquirePart(site, places.gate, wanted, until, request.signal, asked, undefined)
  // A server that has died with the claim would be asked what has become of it for as long as there is time.
  const leaving = new AbortController()
  const onSetback: Setback = (error) => error instanceof LockAmbiguousError && leaving.abort(error)
  const { signal, unlink } = linked(request.signal, leaving.signal)
  try {
    const find = () => detour.find()
    return await acquirePart(site, places.gate, { ...wanted, onSetback }, until, signal, asked, find)
  } catch (error) {
    request.signal.throwIfAborted()
    if (!(error instanceof LockAmbiguousError)) throw error
    return await withoutGate(request, detour, error)
  } finally {
    unlink()
  }
}

/** undefined once its server answers again: claims of which nobody hears would each leave something to be taken away. */
async function withoutGate<T>(
  request: PermitRequest,
  detour: Detour<T>,
  error: LockAmbiguousError,
): Promise<Held | undefined> {
  const { site, places, signal } = request
  const pauses = new Backoff(RETRY_LEAST_MS, RETRY_MOST_MS, site.environment.random)
  for (;;) {
    const other = await detour.find()
    if (other !== undefined) return other
    const leftMs = request.leftMs()
    if (leftMs === 0) throw error
    await pause(site.environment, Math.min(pauses.next(), leftMs), signal, true)
    if (await answers(site, site.prefix + places.gate, signal)) return undefined
  }
}

async function answers(site: Site, key: string, signal: AbortSignal): Promise<boolean> {
  try {
    await site.driver.find(key, callOf(site, signal))
    return true
  } catch (error) {
    if (mayPass(error)) return false
    throw error
  }
}
