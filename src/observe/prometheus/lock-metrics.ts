/** What is counted of locks. */
import type { ExtensionEvent, LockEvent } from '../../locks/index.js'
import { codeOf } from '../errors.js'
import type { Subscriptions } from '../subscriptions.js'
import type { Buckets } from './collect.js'
import { Levels, type LockLabels } from './levels.js'
import type { Meters } from './meters.js'

const WAIT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const HOLD_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600]

export function countLocks(
  meters: Meters,
  on: Subscriptions,
  { wait = WAIT_SECONDS, hold = HOLD_SECONDS }: Buckets,
  labelOf: ((name: string) => string) | undefined,
): void {
  const labels: (keyof LockLabels)[] = labelOf === undefined ? ['driver'] : ['driver', 'lock']
  const levels = new Levels(labelOf)
  countAcquisitions(meters, on, labels, levels, wait)
  countEnds(meters, on, labels, levels, hold)
  countExtensions(meters, on, labels, levels)
  showLevels(meters, labels, levels)
}

function countAcquisitions(
  meters: Meters,
  on: Subscriptions,
  labels: readonly (keyof LockLabels)[],
  levels: Levels,
  buckets: readonly number[],
): void {
  const acquisitions = meters.counter('lock_acquisitions_total', 'Acquisitions that have ended, by outcome.', [
    ...labels,
    'outcome',
  ])
  const waiting = meters.histogram(
    'lock_wait_seconds',
    'From the asking for a lock to its grant, of those that were granted.',
    labels,
    buckets,
  )
  on.on('latchkey:lock:wait', (event) => levels.waits(event))
  on.on('latchkey:lock:grant', (event) => {
    const own = levels.grant(event)
    acquisitions.inc({ ...own, outcome: 'granted' })
    waiting.observe(own, seconds(event.waitMs))
  })
  on.on('latchkey:lock:error', (event) => {
    acquisitions.inc({ ...levels.fail(event), outcome: outcomeOf(event) })
  })
}

function countEnds(
  meters: Meters,
  on: Subscriptions,
  labels: readonly (keyof LockLabels)[],
  levels: Levels,
  buckets: readonly number[],
): void {
  const losses = meters.counter('lock_losses_total', 'Locks that were lost before they were released.', labels)
  const releases = meters.counter('lock_releases_total', 'Releases, by outcome.', [...labels, 'outcome'])
  const holding = meters.histogram('lock_hold_seconds', 'For how long locks were held.', labels, buckets)
  // From 0 on: a counter that begins with its first loss shows no increase.
  levels.onNew((own) => losses.inc(own, 0))
  on.on('latchkey:lock:lost', (event) => {
    const own = levels.end(event)
    losses.inc(own)
    holding.observe(own, seconds(event.heldMs))
  })
  on.on('latchkey:lock:release', (event) => {
    const own = levels.end(event)
    releases.inc({ ...own, outcome: event.outcome! })
    holding.observe(own, seconds(event.heldMs))
  })
}

function countExtensions(
  meters: Meters,
  on: Subscriptions,
  labels: readonly (keyof LockLabels)[],
  levels: Levels,
): void {
  const extensions = meters.counter('lock_extensions_total', 'Tries to extend a lease, by whom and by outcome.', [
    ...labels,
    'by',
    'outcome',
  ])
  on.on('latchkey:lock:extend', ({ lock, by, status }: ExtensionEvent) => {
    extensions.inc({ ...levels.labelsOf(lock), by, outcome: status })
  })
}

function showLevels(meters: Meters, labels: readonly (keyof LockLabels)[], levels: Levels): void {
  meters.gauge('locks_held', 'Locks that are held now.', labels, (gauge) => {
    for (const level of levels.all()) gauge.set(level.labels, level.held)
  })
  meters.gauge('locks_waiting', 'Acquisitions that wait for another holder now.', labels, (gauge) => {
    for (const level of levels.all()) gauge.set(level.labels, level.waiting)
  })
  meters.gauge(
    'lock_oldest_hold_seconds',
    'For how long the longest-held lock is held; 0: none is.',
    labels,
    (gauge) => {
      for (const level of levels.all()) gauge.set(level.labels, level.oldestMs / 1000)
    },
  )
}

/** Rejected with anything that is no error of ours, it was the caller's signal. */
function outcomeOf({ error }: LockEvent): string {
  return (
    codeOf(error)
      ?.replace(/^LOCK_/, '')
      .toLowerCase() ?? 'aborted'
  )
}

function seconds(ms: number | undefined): number {
  return ms! / 1000
}
