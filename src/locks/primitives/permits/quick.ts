/**
 * The way to a permit without waiting: one slot at random and, if another has that, one of those that look free. Whoever sees that the
 * gate is held takes none, also if one is free: it is for those who wait there. That is politeness; what keeps the count is that
 * each slot is a lock.
 */
import type { Held } from '../../belief.js'
import type { LeaseKeeper } from '../../lease-keeper.js'
import { callOf, mayPass } from '../../site.js'
import type { Hints } from './hints.js'
import type { PermitRequest } from './request.js'
import { handOver } from './settling.js'
import { claimSlot, keepMeanwhile, LOOKS_AT_ONCE, lookAtSlots, shuffle } from './slots.js'

interface FirstTry {
  readonly held: Held | undefined
  readonly isOthersTurn: boolean
}

/** undefined for the reason that `request` has noted. Throws the signal's reason and LockArgumentError. */
export async function tryQuickly(request: PermitRequest, hints: Hints): Promise<Held | undefined> {
  const { places, site } = request
  const { clock, random } = site.environment
  request.beginRound()
  const slots = shuffle([...places.slots.keys()], random)
  // Those of this process are held for certain.
  const others = slots.filter((slot) => !hints.isOwn(slot))
  const first = others.shift() ?? slots[0]
  const tryFirst = hints.isContended(clock.now()) ? askThenClaim : askAndClaim
  const { held, isOthersTurn } = await tryFirst(request, first)
  const permit = held ?? (isOthersTurn ? undefined : await claimOneOf(request, others.length === 0 ? [first] : others))
  if (permit === undefined) hints.noteContention(clock.now())
  return permit
}

/**
 * Both at once: mostly nobody waits, and a round trip is saved. What was got out of turn is given back. While a slow gate is waited for, the
 * lease is renewed.
 */
async function askAndClaim(request: PermitRequest, slot: number): Promise<FirstTry> {
  const asking = isGateHeld(request)
  asking.catch(() => {})
  const held = await claimNow(request, slot)
  const keeper = held && keepMeanwhile(request.site, held)
  let isOthersTurn = true
  try {
    isOthersTurn = await asking
  } finally {
    if (isOthersTurn) await keeper?.release()
  }
  return { held: isOthersTurn ? undefined : keeper && (await fresh(request, keeper)), isOthersTurn }
}

/** undefined where too little of its lease is left: then it is given back. */
async function fresh(request: PermitRequest, keeper: LeaseKeeper): Promise<Held | undefined> {
  const { site, wanted } = request
  let late: LeaseKeeper = keeper
  let cause: unknown
  try {
    const held = await handOver(keeper, wanted)
    if (held.validUntil - site.environment.clock.now() >= wanted.minRemainingMs) return held
    late = keepMeanwhile(site, held)
  } catch (error) {
    cause = error
  }
  await late.release()
  request.noteError(request.unavailable('too little of its lease was left when the gate had answered', cause))
  return undefined
}

async function askThenClaim(request: PermitRequest, slot: number): Promise<FirstTry> {
  const isOthersTurn = await isGateHeld(request)
  return { held: isOthersTurn ? undefined : await claimNow(request, slot), isOthersTurn }
}

/** A gate whose server does not answer holds nobody up. */
async function isGateHeld(request: PermitRequest): Promise<boolean> {
  const { site, places, signal } = request
  try {
    const found = await site.driver.find(site.prefix + places.gate, callOf(site, signal))
    if (found !== undefined) request.noteBefore(found)
    return found !== undefined
  } catch (error) {
    if (mayPass(error)) return false
    throw error
  }
}

/** One after the other: who claimed several at once would make others believe that there are none. */
async function claimOneOf(request: PermitRequest, slots: readonly number[]): Promise<Held | undefined> {
  for (let from = 0; from < slots.length; from += LOOKS_AT_ONCE) {
    for (const { slot, found } of await lookAtSlots(request, slots.slice(from, from + LOOKS_AT_ONCE))) {
      const held = found === undefined ? await claimNow(request, slot) : undefined
      if (held !== undefined) return held
    }
  }
  return undefined
}

async function claimNow(request: PermitRequest, slot: number): Promise<Held | undefined> {
  const result = await claimSlot(request, slot)
  return result.status === 'held' ? result.held : undefined
}
