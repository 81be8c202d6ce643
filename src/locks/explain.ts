/** What this way of keeping locks survives, and what not. */
import type { Facts } from './driver.js'
import type { Guarantee } from './types.js'

/** `fenced`: two may hold at a time, but a resource that checks fences takes only the later one's writes. */
export type Verdict = 'survived' | 'fenced' | 'not survived' | 'unknown'

/** One thing that can go wrong. */
export interface Fault {
  readonly fault: string
  readonly verdict: Verdict
  readonly why: string
}

export interface Explanation {
  readonly guarantee: Guarantee
  readonly facts: Facts
  readonly faults: readonly Fault[]
  /** The same for people: a line for each. */
  readonly text: string
}

export function explain(facts: Facts, guarantee: Guarantee): Explanation {
  const faults = faultsOf(facts, guarantee)
  const head = `${facts.what}, guarantee ${guarantee}`
  const lines = faults.map(({ fault, verdict, why }) => `${verdict.padEnd(12)}  ${fault}: ${why}`)
  return { guarantee, facts, faults, text: [head, ...lines, ...facts.notes].join('\n') }
}

function faultsOf(facts: Facts, guarantee: Guarantee): Fault[] {
  /** Where two may hold for a while, the fence saves the resource. */
  const orFenced: Verdict = guarantee === 'fenced' ? 'fenced' : 'not survived'
  return [
    {
      fault: 'a holder dies',
      verdict: 'survived',
      why: `its ${facts.endsWithConnection ? 'connection ends, or its lease' : 'lease ends by itself'}${facts.queues ? ', and the server gives the lock to the next in the queue' : ''}`,
    },
    {
      fault: 'a holder is paused past its lease',
      verdict: orFenced,
      why: 'it learns of it when it next looks, and may have acted in between',
    },
    {
      fault: 'a reply is lost',
      verdict: 'survived',
      why: 'what is not known is read back by the owner token, and not believed before',
    },
    {
      fault: 'the network between holder and server fails',
      verdict: facts.endsWithConnection ? orFenced : 'survived',
      why: networkOf(facts),
    },
    ...serverFaults(facts, guarantee, orFenced),
    {
      fault: "a holder's clock is set, or its machine suspended",
      verdict: 'survived',
      why: 'the longer of monotonic and wall clock time counts',
    },
  ]
}

function serverFaults(facts: Facts, guarantee: Guarantee, orFenced: Verdict): Fault[] {
  return [
    ...minorityFaults(facts),
    {
      fault: 'the server restarts',
      verdict: facts.durable || (facts.survivesRestart && guarantee !== 'efficiency') ? 'survived' : orFenced,
      why: restartOf(facts),
    },
    ...failover(facts, orFenced),
    {
      fault: 'the server is full',
      verdict: facts.evicts === undefined ? 'unknown' : facts.evicts ? orFenced : 'survived',
      why:
        facts.evicts === undefined
          ? 'it could not be found out whether it evicts locks'
          : facts.evicts
            ? 'it may evict locks that are held'
            : 'it refuses new locks and never evicts one',
    },
    {
      fault: 'somebody flushes the server or deletes the key',
      verdict: orFenced,
      why: 'the lock is gone; its holder finds out at the next renewal',
    },
  ]
}

function networkOf({ remote, endsWithConnection }: Facts): string {
  if (endsWithConnection) return 'its lock ends with its connection, and it learns of it at the next renewal'
  return remote
    ? 'the holder gives the lock up before the server gives it to another; no other server is asked instead'
    : 'there is none'
}

function restartOf({ durable, survivesRestart }: Facts): string {
  if (durable) return 'it comes back with its locks'
  return survivesRestart
    ? 'no lock is granted until the leases from before are over'
    : 'it forgets its locks, and another may get one that is held'
}

function failover({ replicas }: Facts, orFenced: Verdict): Fault[] {
  if (replicas === undefined) return []
  const isSafe = replicas === 'majority'
  const why = isSafe
    ? 'a lock counts when a majority has it, and only a majority can go on without the others'
    : 'it may not have heard of a lock, and for a while both may give locks'
  return [{ fault: 'another server takes over', verdict: isSafe ? 'survived' : orFenced, why }]
}

function minorityFaults({ quorum }: Facts): Fault[] {
  if (quorum === undefined) return []
  const { servers, needed } = quorum
  return [
    {
      fault: `${servers - needed} of the ${servers} servers fail, pause, restart empty or are cut off`,
      verdict: 'survived',
      why: 'the others are a majority: locks that are held stay so, and others can be had',
    },
  ]
}
