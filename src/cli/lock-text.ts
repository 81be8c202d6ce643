/** How locks are shown: a table of many, a list of what is known of one, JSON. */
import type { LockInfo } from '../locks/index.js'
import { tableText } from './table.js'
import { printable } from './with-locks.js'

const UNKNOWN = '-'
const COLUMNS = ['NAME', 'HOLDER', 'HOST', 'PID', 'AGE', 'LEASE', 'WAITERS', 'FENCE']
const FIRST_NUMBER = COLUMNS.indexOf('PID')

export function lockTable(locks: readonly LockInfo[]): string {
  return tableText([COLUMNS, ...locks.map(cells)], (column) => column >= FIRST_NUMBER)
}

/** One line each, and the owner token too. */
export function lockText(info: LockInfo): string {
  const rows = cells(info).map((cell, i) => [`${COLUMNS[i].toLowerCase()}:`, cell])
  return tableText([...rows, ['owner:', info.owner]], () => false)
}

export function asJson(info: LockInfo): unknown {
  const { name, owner, fence, host, pid, label, since, leftMs, waiters } = info
  const known = {
    name,
    owner,
    fence: fence?.toString(),
    label,
    host,
    pid,
    since: since?.toISOString(),
    leftMs,
    waiters,
  }
  return Object.fromEntries(Object.entries(known).map(([field, value]) => [field, value ?? null]))
}

function cells({ name, label, host, pid, since, leftMs, waiters, fence }: LockInfo): string[] {
  const ageMs = since === undefined ? undefined : Math.max(0, Date.now() - since.getTime())
  return [name, label, host, pid, duration(ageMs), duration(leftMs), waiters, fence].map((cell) =>
    cell === undefined ? UNKNOWN : printable(String(cell)),
  )
}

/** The two greatest units: `850ms`, `12.3s`, `5m 20s`, `2h 10m`, `3d 4h`. */
export function duration(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined
  if (ms < 1000) return `${Math.floor(ms)}ms`
  if (ms < 60_000) return `${Math.floor(ms / 100) / 10}s`
  const seconds = Math.floor(ms / 1000)
  const [minutes, hours, days] = [60, 3600, 86_400].map((unit) => Math.floor(seconds / unit))
  if (hours < 1) return `${minutes}m ${seconds % 60}s`
  return days < 1 ? `${hours}h ${minutes % 60}m` : `${days}d ${hours % 24}h`
}
