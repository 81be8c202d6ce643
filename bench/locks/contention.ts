/** Waiters of one process, for a lock that those of other processes want too. Each notes when it had it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LockSubject } from './subjects/subject.js'
import { sharedNow, type Tenure } from './tenures.js'

/** Each waiter asks once, at its moment, holds, and frees. What is held already is freed at `freeAt`. */
export interface QueueOrder {
  kind: 'queue'
  name: string
  asks: { waiter: number; at: number }[]
  freeAt: number
  holdMs: number
}

/** Each waiter takes and frees the lock again and again. */
export interface ContendOrder {
  kind: 'contend'
  name: string
  waiters: number[]
  startsAt: number
  endsAt: number
}

/** `first` is what this process holds of the lock, if it is the one. */
export async function queue(
  subject: LockSubject,
  { name, asks, freeAt, holdMs }: QueueOrder,
  first: readonly unknown[],
): Promise<Tenure[]> {
  const turns = asks.map(async ({ waiter, at }) => {
    await sleep(at - sharedNow())
    return tenure(subject, name, waiter, () => sleep(holdMs))
  })
  await sleep(freeAt - sharedNow())
  const before = first.map((held) => freeFirst(subject, held))
  return Promise.all([...before, ...turns])
}

/** The tenure that everybody waited for the end of: nobody's, and begun before all others. */
async function freeFirst(subject: LockSubject, held: unknown): Promise<Tenure> {
  const freedAt = sharedNow()
  await subject.release(held)
  return { waiter: -1, askedAt: 0, heldAt: 0, freedAt }
}

export async function contend(
  subject: LockSubject,
  { name, waiters, startsAt, endsAt }: ContendOrder,
): Promise<Tenure[]> {
  await sleep(startsAt - sharedNow())
  const all: Tenure[] = []
  const loops = waiters.map(async (waiter) => {
    while (sharedNow() < endsAt) all.push(await tenure(subject, name, waiter))
  })
  await Promise.all(loops)
  return all
}

async function tenure(
  subject: LockSubject,
  name: string,
  waiter: number,
  hold?: () => Promise<unknown>,
): Promise<Tenure> {
  const askedAt = sharedNow()
  const held = await subject.acquire(name)
  const heldAt = sharedNow()
  await hold?.()
  const freedAt = sharedNow()
  await subject.release(held)
  return { waiter, askedAt, heldAt, freedAt }
}
