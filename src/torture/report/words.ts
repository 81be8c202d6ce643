/** Plans, incidents and deeds as people read them. */
import type { Deed } from '../history.js'
import type { Laboratory } from '../laboratory.js'
import type { Incident, Plan } from '../plan.js'

/** `0.250 s`: milliseconds show, and columns of them align. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`
}

/** How the command line names a run. */
export function runName({ algorithm, fault, seed }: Plan): string {
  return `${algorithm}/${fault}/${seed}`
}

export function replayCommand(laboratory: Laboratory['name'], plan: Plan): string {
  return `latchkey torture --replay ${runName(plan)}${laboratory === 'processes' ? ' --mode real' : ''}`
}

/** One line an event, in the order of time. */
export function scheduleLines(plan: Plan): string[] {
  const incidents = [...plan.incidents].sort((one, other) => one.at - other.at)
  return [
    `${runName(plan)}: a lease of ${plan.ttlMs} ms, up to ${plan.waitMs} ms of waiting, a run of ${plan.lengthMs} ms`,
    ...plan.rounds.map((rounds, who) => `  participant ${who}: ${roundsText(rounds)}`),
    ...incidents.map((incident) => `  ${seconds(incident.at).padStart(9)}  ${incidentText(incident)}`),
    ...(incidents.length === 0 ? ['  nothing else happens'] : []),
  ]
}

function roundsText(rounds: Plan['rounds'][number]): string {
  if (rounds.length === 0) return 'nothing to do'
  return rounds.map(({ afterMs, workMs }) => `waits ${afterMs} ms, works ${workMs} ms`).join('; ')
}

export function incidentText(incident: Incident): string {
  switch (incident.what) {
    case 'pause':
      return `participant ${incident.who} is stopped for ${incident.ms} ms`
    case 'stall':
      return `the event loop of participant ${incident.who} is blocked for ${incident.ms} ms`
    case 'heap':
      return `participant ${incident.who} collects garbage for ${incident.ms} ms`
    case 'clock':
      return `the clock of participant ${incident.who} is set ${way(incident.byMs)}`
    case 'suspend':
      return `the machine of participant ${incident.who} sleeps for ${incident.ms} ms`
    case 'crash':
      return `participant ${incident.who} is killed`
    case 'abort':
      return `the caller of participant ${incident.who} gives up`
    case 'blip':
      return `participant ${incident.who} cannot connect to server ${incident.server} for ${incident.ms} ms`
    case 'partition':
      return `${incident.lost} of participant ${incident.who} to server ${incident.server} are lost for ${incident.ms} ms`
    case 'server-pause':
      return `server ${incident.server} is stopped for ${incident.ms} ms`
    case 'server-clock':
      return `the clock of server ${incident.server} is set ${way(incident.byMs)}`
    case 'restart':
      return `server ${incident.server} is killed, and starts again after ${incident.downMs} ms`
    case 'flush':
      return `server ${incident.server} is flushed`
    case 'evict':
      return `server ${incident.server} evicts what is oldest`
    case 'full':
      return `server ${incident.server} has no memory for ${incident.ms} ms`
    case 'foreign':
      return `a stranger sends a ${incident.how} for the lock’s key`
    case 'lose':
      return `request ${incident.nth} of participant ${incident.who} is carried out, its reply lost${incident.cut ? ' with the connection' : ''}`
    case 'delay':
      return `request ${incident.nth} of participant ${incident.who} is on its way for ${incident.ms} ms`
  }
}

function way(byMs: number): string {
  return `${Math.abs(byMs)} ms ${byMs < 0 ? 'back' : 'forward'}`
}

const deedWords: Readonly<Record<Deed['what'], string>> = {
  add: 'the record comes',
  change: 'the record is changed',
  delete: 'the record is deleted',
  expire: 'the record expires',
  evict: 'the record is evicted',
  flush: 'the record is flushed',
  forget: 'the record is forgotten',
}

export function deedText({ what, key, by, before, after }: Deed): string {
  const asked = by === undefined ? '' : `, as participant ${by} asked`
  const said = [before, after].map((text) => text ?? 'nothing').join(' → ')
  return `${deedWords[what]}${asked}: ${key}: ${said}`
}
