/** What strikes, as the plan has it. */
import type { Mark } from '../history.js'
import type { Incident, Plan } from '../plan.js'
import { Draw, drawn } from './chance.js'
import type { Fates, Network } from './network.js'
import type { Participant } from './participant.js'
import type { Host } from './servers/host.js'
import type { VirtualTime } from './virtual-time.js'

export interface Stage {
  readonly plan: Plan
  readonly time: VirtualTime
  readonly network: Network
  readonly hosts: readonly Host[]
  readonly participants: readonly Participant[]
  readonly marks: Mark[]
  /** Where the lock is; what it is called there. */
  readonly lockKey: string
  /** Nothing strikes any more. */
  isOver(): boolean
}

type Of<W extends Incident['what']> = Extract<Incident, { what: W }>
type Strike<W extends Incident['what']> = (stage: Stage, incident: Of<W>, nth: number) => void

/** Those of single requests are made by the network, and `heap` by nobody here. */
const strikes: { readonly [W in Incident['what']]?: Strike<W> } = {
  pause: ({ participants }, { who, ms }) => participants[who].machine.pause(ms),
  stall: (stage, { who, ms }) => stage.participants[who].machine.stall(ms, () => mark(stage, 'stall', who, ms)),
  clock({ participants }, { who, byMs }) {
    const { machine } = participants[who]
    machine.setClock(byMs)
    // What it believes is over now, perhaps.
    machine.deliver(() => {})
  },
  suspend: ({ participants }, { who, ms }) => participants[who].machine.suspend(ms),
  crash: ({ participants }, { who }) => participants[who].machine.kill(),
  abort: ({ participants }, { who }) => participants[who].machine.deliver(() => participants[who].abort()),
  blip: ({ network }, { who, server, ms }) => network.blip(who, server, ms),
  partition({ network, plan }, { who, server, lost, ms }, nth) {
    network.partition(who, server, lost, ms, drawn(plan.seed, Draw.Loss, nth) < 0.5)
  },
  'server-pause': ({ hosts }, { server, ms }) => hosts[server].pause(ms),
  'server-clock': ({ hosts }, { server, byMs }) => hosts[server].setClock(byMs),
  restart: ({ hosts }, { server, downMs }) => hosts[server].restart(downMs),
  flush({ hosts }, { server }) {
    hosts[server].tell({ command: 'flush_all', key: '', flags: [] })
  },
  evict: ({ hosts }, { server }) => hosts[server].evict(),
  full: ({ hosts }, { server, ms }) => hosts[server].fill(ms),
  foreign({ hosts, plan, lockKey }, { how }, nth) {
    const lifeS = 1 + Math.floor(drawn(plan.seed, Draw.Loss, nth) * 5)
    for (const host of hosts) meddle(host, how, lockKey, lifeS)
  },
}

/** Sets everything up to strike at its time. */
export function prepare(stage: Stage): void {
  for (const [nth, incident] of stage.plan.incidents.entries()) {
    const strike = strikes[incident.what] as Strike<Incident['what']> | undefined
    if (strike === undefined) continue
    stage.time.timer(incident.at - stage.time.now(), () => {
      if (stage.isOver()) return
      if (incident.what !== 'stall') markIncident(stage, incident)
      strike(stage, incident as never, nth)
    })
  }
}

/** Of single requests, wherever they come from. */
export function fatesOf({ incidents }: Plan, isStruck: (incident: Incident) => boolean): Fates {
  const delays = new Map<string, Of<'delay'>>()
  const losses = new Map<string, Of<'lose'>>()
  for (const incident of incidents) {
    if (incident.what === 'delay') delays.set(placeOf(incident), incident)
    if (incident.what === 'lose') losses.set(placeOf(incident), incident)
  }
  const fateOf = <I extends Incident>(fates: ReadonlyMap<string, I>, who: number, nth: number): I | undefined => {
    const fate = fates.size === 0 ? undefined : fates.get(placeOf({ who, nth }))
    return fate !== undefined && isStruck(fate) ? fate : undefined
  }
  return {
    delayOf: (who, nth) => fateOf(delays, who, nth)?.ms,
    lossOf: (who, nth) => fateOf(losses, who, nth),
  }
}

export function markIncident({ marks, time }: Pick<Stage, 'marks' | 'time'>, incident: Incident): void {
  const who = 'who' in incident ? incident.who : undefined
  const ms = 'ms' in incident ? incident.ms : 'downMs' in incident ? incident.downMs : undefined
  marks.push({
    at: time.now(),
    what: wordsOf(incident),
    ...(who !== undefined && { who }),
    ...(ms !== undefined && { ms }),
  })
}

function mark({ marks, participants }: Stage, what: string, who: number, ms: number): void {
  marks.push({ at: participants[who].machine.now() - ms, what, who, ms })
}

function wordsOf(incident: Incident): string {
  const { what } = incident
  if (what === 'foreign') return `foreign ${incident.how}`
  if (what === 'clock' || what === 'server-clock') return `${what} set by ${incident.byMs} ms`
  if (what === 'partition') return `partition: ${incident.lost} lost`
  if (what === 'lose') return `reply to request ${incident.nth} lost`
  return what === 'delay' ? `request ${incident.nth} delayed` : what
}

/** Somebody who does not know that it is a lock, and gives it some seconds. */
function meddle(host: Host, how: 'set' | 'touch' | 'delete', key: string, lifeS: number): void {
  if (!host.has(key)) return
  if (how === 'delete') host.tell({ command: 'md', key, flags: [] })
  else if (how === 'touch') host.tell({ command: 'mg', key, flags: [`T${lifeS}`] })
  else host.tell({ command: 'ms', key, flags: [`T${lifeS}`], value: 'something else' })
}

function placeOf({ who, nth }: { readonly who: number; readonly nth: number }): string {
  return `${who} ${nth}`
}
