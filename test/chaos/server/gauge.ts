/** What can be seen of a server from outside: its process, its statistics, and a list of its keys. */
import { readdirSync, readFileSync } from 'node:fs'
import { Wire } from '../../support/wire.js'
import type { Address } from './strangers.js'

/** MiB. */
export function residentMib(pid: number): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(match?.[1]) / 1024
}

export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

export async function statsOf(server: Address): Promise<Record<string, number>> {
  const wire = await Wire.open(server)
  await wire.send('stats\r\n')
  const text = (await wire.takeUntil('END\r\n')).toString('latin1')
  wire.close()
  return Object.fromEntries(Array.from(text.matchAll(/STAT (\S+) (\S+)/g), ([, name, value]) => [name, Number(value)]))
}

export async function countKeys(server: Address): Promise<number> {
  const wire = await Wire.open(server)
  await wire.send('lru_crawler metadump all\r\n')
  const text = (await wire.takeUntil('END\r\n')).toString('latin1')
  wire.close()
  return text.split('\n').filter((line) => line.startsWith('key=')).length
}

export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN
}
