/** One contender in a process or thread of its own: takes and frees locks as its parent orders. */
import { setTimeout as sleep } from 'node:timers/promises'
import { keepBusy } from '../support/keep-busy.js'
import { obeyOrders } from '../support/remote.js'
import { type Place, type Span, takeSpan } from '../support/span.js'
import { contenders } from './contenders.js'
import { type ContendOrder, contend, type QueueOrder, queue } from './contention.js'
import type { LockSubject, Target, Terms } from './subjects/subject.js'
import type { Tenure } from './tenures.js'

export type Order =
  | { kind: 'open'; target: Target; terms: Terms; place: Place }
  /** Acquire and release, in so many loops that each have a name of their own. Answered with a `Span`. */
  | { kind: 'loop'; concurrency: number; durationMs: number }
  /** Acquires the locks with these names, besides those held already, and keeps them. */
  | { kind: 'hold'; names: string[] }
  /** Does nothing but keep what is held. Answered with an `Upkeep`. */
  | { kind: 'keep'; durationMs: number }
  /** The two are answered with `Tenure`s. */
  | QueueOrder
  | ContendOrder

export interface Upkeep extends Pick<Span, 'wallNs' | 'clientCpuNs' | 'serverCpuNs'> {
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
      return queue(subject, order, kept.splice(0))
    case 'contend':
      return contend(subject, order)
  }
}

function loop(concurrency: number, durationMs: number): Promise<Span> {
  const names = Array.from({ length: concurrency }, (_, at) => `uncontended:${process.pid}:${at}`)
  const send = async (_turn: number, number: number) => subject.release(await subject.acquire(names[number]))
  return takeSpan(place, () => keepBusy({ send, check: () => {} }, concurrency, durationMs))
}

async function keep(durationMs: number): Promise<Upkeep> {
  const { wallNs, clientCpuNs, serverCpuNs } = await takeSpan(place, async () => {
    await sleep(durationMs)
    return new Float64Array()
  })
  return { wallNs, clientCpuNs, serverCpuNs, lost: kept.filter((held) => !subject.holds(held)).length }
}

obeyOrders(obey)
