/** What strikes, when and whom. The first incident is aimed at who holds first; the others fall where they fall. */
import type { FaultName } from './faults.js'
import type { Incident } from './plan.js'
import type { Draft } from './planning.js'

type Make = (draft: Aim) => Incident[]

interface Aim extends Draft {
  /** Of this strike. */
  readonly at: number
  /** Its victim. */
  readonly who: number
  /** Counted from 0. */
  readonly nth: number
  /** Of lost replies, so many are told by a connection that is cut; the others by nothing. */
  readonly cutPercent: number
}

/** Most of what is asked is over by then. */
const LAST_AT_MS = 3500
const HOUR_MS = 3_600_000
/** Of one participant, until it has the lock for the first time, and over its rounds. */
const FIRST_REQUESTS = 4
const REQUESTS = 24
const ONE_ALONE_PERCENT = 75

const makers: Readonly<Partial<Record<FaultName, Make>>> = {
  pause: (aim) => [{ ...struck(aim), what: 'pause', ms: aboutLease(aim) }],
  stall: (aim) => [{ ...struck(aim), what: 'stall', ms: aboutLease(aim) }],
  heap: (aim) => [{ ...struck(aim), what: 'heap', ms: aboutLease(aim) }],
  suspend: (aim) => [{ ...struck(aim), what: 'suspend', ms: aboutLease(aim) }],
  clock: (aim) => [{ ...struck(aim), what: 'clock', byMs: clockStep(aim) }],
  // One stays alive, to find out what the others leave.
  crash: (aim) => (aim.who === survivor(aim) ? [] : [{ ...struck(aim), what: 'crash' }]),
  abort: (aim) => [{ ...struck(aim), what: 'abort' }],
  'lost-reply': lose,
  retry: lose,
  delay: (aim) => [{ at: 0, what: 'delay', who: aim.who, nth: request(aim), ms: aboutLease(aim) }],
  blip: (aim) => [{ ...other(aim), what: 'blip', server: serverInTurn(aim), ms: aim.random.between(200, 2000) }],
  partition: ({ random, ...aim }) => [
    {
      ...struck(aim),
      what: 'partition',
      server: serverInTurn(aim),
      lost: random.pick(['requests', 'replies'] as const),
      ms: aboutLease({ ...aim, random }),
    },
  ],
  'server-pause': (aim) => {
    const ms = aboutLease(aim)
    return onServers(aim, (server) => ({ at: aim.at, what: 'server-pause', server, ms }))
  },
  'server-clock': (aim) => {
    const byMs = clockStep(aim)
    return onServers(aim, (server) => ({ at: aim.at, what: 'server-clock', server, byMs }))
  },
  restart: (aim) => {
    const downMs = aim.random.below(100)
    return onServers(aim, (server) => ({ at: aim.at, what: 'restart', server, downMs }))
  },
  flush: (aim) => onServers(aim, (server) => ({ at: aim.at, what: 'flush', server })),
  evict: (aim) => onServers(aim, (server) => ({ at: aim.at, what: 'evict', server })),
  full: (aim) => {
    const ms = aim.random.between(200, 2000)
    return onServers(aim, (server) => ({ at: aim.at, what: 'full', server, ms }))
  },
  foreign: ({ at, random, strangers }) => [{ at, what: 'foreign', how: random.pick(strangers) }],
}

/** Those that need to be many, so that one of them finds its mark. */
const many: ReadonlySet<FaultName> = new Set(['abort', 'blip', 'lost-reply', 'retry', 'delay', 'foreign'])

/** In no order. Nothing for faults that are in the rounds, or in how the participants are made. */
export function incidentsOf(draft: Draft, fault: FaultName): Incident[] {
  const make = makers[fault]
  if (make === undefined) return []
  const { random } = draft
  const strikes = many.has(fault) ? random.between(4, 8) : random.between(1, 4)
  const cutPercent = random.pick([0, 50, 100])
  return Array.from({ length: strikes }, (_, nth) => make(aimOf(draft, nth, cutPercent))).flat()
}

function aimOf(draft: Draft, nth: number, cutPercent: number): Aim {
  const { random, participants, first } = draft
  const who = random.below(participants)
  const at = nth === 0 ? whileFirstHolds(draft) : random.between(20, LAST_AT_MS)
  return { ...draft, nth, at, who: nth === 0 ? first : who, cutPercent }
}

/** The first one has asked by then, and is not done yet. If it works for long, it is about to renew, or at it. */
function whileFirstHolds({ random, ttlMs, firstWorkMs }: Draft): number {
  if (firstWorkMs < ttlMs) return random.between(20, 20 + firstWorkMs)
  return Math.round((random.between(1, 3) * ttlMs) / 3) + random.below(120)
}

function struck({ at, who }: Pick<Aim, 'at' | 'who'>) {
  return { at, who }
}

function survivor({ first, participants }: Aim): number {
  return (first + 1) % participants
}

/** While the first one holds, the others are to be misled: each before it asks. */
function other({ random, nth, first, participants, at, who }: Aim) {
  return nth < participants - 1 ? { at: random.below(30), who: (first + 1 + nth) % participants } : { at, who }
}

function lose(aim: Aim): Incident[] {
  return [{ at: 0, what: 'lose', who: aim.who, nth: request(aim), cut: aim.random.chance(aim.cutPercent) }]
}

/** The first strikes lose what the first one sends when it asks for the lock. */
function request({ random, nth }: Aim): number {
  return nth === 0 ? random.below(FIRST_REQUESTS) : random.below(REQUESTS)
}

/** Below, about, or beyond. */
function aboutLease({ random, ttlMs }: Pick<Aim, 'random' | 'ttlMs'>): number {
  const [least, most] = random.pick([
    [10, 80],
    [90, 110],
    [120, 160],
  ] as const)
  return Math.round((ttlMs * random.between(least, most)) / 100)
}

function clockStep({ random, ttlMs }: Aim): number {
  return random.pick([1, -1]) * random.pick([500, ttlMs, 2 * ttlMs, HOUR_MS])
}

function serverInTurn({ nth, first, servers }: Pick<Aim, 'nth' | 'first' | 'servers'>): number {
  return (first + nth) % servers
}

/** Which of them has the key is not known here. Where a majority decides it is mostly one that is struck, the next one the next time. */
function onServers(aim: Aim, make: (server: number) => Incident): Incident[] {
  const { servers, quorum, random } = aim
  if (quorum && random.chance(ONE_ALONE_PERCENT)) return [make(serverInTurn(aim))]
  return Array.from({ length: servers }, (_, server) => make(server))
}
