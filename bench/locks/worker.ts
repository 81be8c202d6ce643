/** One contender in a process or thread of its own: takes and frees locks as its parent orders. */
import { setTimeout as sleep } from 'node:timers/promises'
import { processCpuNs } from '../support/cpu.js'
import { keepBusy } from '../support/keep-busy.js'
import { obeyOrders } from '../support/remote.js'
import { type Place, type Span, takeSpan } from '../support/span.js'
import { contenders } from './contenders.js'
import type { LockSubject, Target, Terms } from './subjects/subject.js'
import { sharedNow, type Tenure } from './tenures.js'

export type Order =
  | { kind: 'open'; target: Target; terms: Terms; place: Place }
  /** Acquire and release, in so many loops that each have a name of their own. Answered with a `Span`. */
  | { kind: 'loop'; concurrency: number; durationMs: number }
  /** Acquires the locks with these names, besides those held already, and keeps them. */
  | { kind: 'hold'; names: string[] }
  /** Does nothing but keep what is held. Answered with an `Upkeep`. */
  | { kind: 'keep'; durationMs: number }
  | QueueOrder
  | ContendOrder

/** Each waiter asks once, at its moment, holds, and frees. What is held already is freed at `freeAt`. Answered with `Tenure`s. */
export interface QueueOrder {
  kind: 'queue'
  name: string
  asks: { waiter: number; at: number }[]
  freeAt: number
  holdMs: number
}

/** Each waiter takes and frees the lock again and again. Answered with `Tenure`s. */
export interface ContendOrder {
  kind: 'contend'
  name: string
  waiters: number[]
  startsAt: number
  endsAt: number
}

export interface Upkeep {
  wallNs: number
  clientCpuNs: number
  serverCpuNs: number
  /** Locks that are not held any more, by what their library says. */
  lost: number
}

let subject: LockSubject
let place: Place
const kept: unknown[] = []

async function obey(order: Order): Promise<Span | Upkeep | Tenure[] | undefined> {
  switch (order.kind) {
    case 'open': {
      place = order.place
      const { open } = await contenders[Number(process.argv[2])].load()
      subject = await open(order.target, order.terms)
      return undefined
    }
    case 'loop':
      return loop(order.concurrency, order.durationMs)
    case 'hold':
      kept.push(...(await Promise.all(order.names.map((name) => subject.acquire(name)))))
      return undefined
    case 'keep':
      return keep(order.durationMs)
    case 'queue':
      return queue(order)
    case 'contend':
      return contend(order)
  }
}

function loop(concurrency: number, durationMs: number): Promise<Span> {
  const names = Array.from({ length: concurrency }, (_, at) => `uncontended:${process.pid}:${at}`)
  const send = async (_turn: number, number: number) => subject.release(await subject.acquire(names[number]))
  return takeSpan(place, () => keepBusy({ send, check: () => {} }, concurrency, durationMs))
}

async function keep(durationMs: number): Promise<Upkeep> {
  const before = readings()
  await sleep(durationMs)
  const after = readings()
  return {
    wallNs: Number(after.wall - before.wall),
    clientCpuNs: after.clientNs - before.clientNs,
    serverCpuNs: after.serverNs - before.serverNs,
    lost: kept.filter((held) => !subject.holds(held)).length,
  }
}

function readings() {
  const { serverPid } = place
  return {
    clientNs: processCpuNs(process.pid),
    serverNs: serverPid === undefined ? 0 : processCpuNs(serverPid),
    wall: process.hrtime.bigint(),
  }
}

async function queue({ name, asks, freeAt, holdMs }: QueueOrder): Promise<Tenure[]> {
  const turn = async (waiter: number, at: number): Promise<Tenure> => {
    await sleep(at - sharedNow())
    return tenure(name, waiter, () => sleep(holdMs))
  }
  const turns = asks.map(({ waiter, at }) => turn(waiter, at))
  const first = kept.splice(0)
  await sleep(freeAt - sharedNow())
  const before = await Promise.all(first.map(freeFirst))
  return [...before, ...(await Promise.all(turns))]
}

/** The tenure that everybody waited for the end of: nobody's, and begun before all others. */
async function freeFirst(held: unknown): Promise<Tenure> {
  const freedAt = sharedNow()
  await subject.release(held)
  return { waiter: -1, askedAt: 0, heldAt: 0, freedAt }
}

async function contend({ name, waiters, startsAt, endsAt }: ContendOrder): Promise<Tenure[]> {
  await sleep(startsAt - sharedNow())
  const all: Tenure[] = []
  const loops = waiters.map(async (waiter) => {
    while (sharedNow() < endsAt) all.push(await tenure(name, waiter))
  })
  await Promise.all(loops)
  return all
}

async function tenure(name: string, waiter: number, hold?: () => Promise<unknown>): Promise<Tenure> {
  const askedAt = sharedNow()
  const held = await subject.acquire(name)
  const heldAt = sharedNow()
  await hold?.()
  const freedAt = sharedNow()
  await subject.release(held)
  return { waiter, askedAt, heldAt, freedAt }
}

obeyOrders(obey)
