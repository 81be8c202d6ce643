/** `latchkey get <key…>`: values, and with --json what the server knows of them. */
import type { Command } from 'commander'
import { type Client, UnsupportedError } from '../client/index.js'
import { type CacheFlags, cacheCommand, printJson, type Raw, readable, withCache } from './cache.js'

interface Found extends Raw {
  cas?: bigint
  /** Seconds; −1 for an item that does not expire. */
  ttl?: number
}

export function getCommand(): Command {
  return cacheCommand('get')
    .description('print the values of keys; ends with 1 when one is missing')
    .argument('<key...>')
    .action((keys: string[], flags: CacheFlags) => withCache(flags, (cache) => run(cache, keys, flags)))
}

async function run(cache: Client<Raw>, keys: string[], flags: CacheFlags): Promise<boolean> {
  const found = await Promise.all(keys.map((key) => look(cache, key)))
  if (flags.json) printJson(Object.fromEntries(keys.map((key, i) => [key, asJson(found[i])])))
  else for (const [i, key] of keys.entries()) print(key, found[i])
  return !found.includes(undefined)
}

/** Without touching it: `get` would count as a use, and the server keeps what is used. */
async function look(cache: Client<Raw>, key: string): Promise<Found | undefined> {
  try {
    const { status, flags, value } = await cache.meta('mg', key, ['v', 'f', 'c', 't', 'u'])
    if (status === 'EN' || value === undefined) return undefined
    const number = (flag: string) => flags.find((one) => one[0] === flag)!.slice(1)
    return { data: value, flags: Number(number('f')), cas: BigInt(number('c')), ttl: Number(number('t')) }
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error
    const found = await cache.gets(key)
    return found === undefined ? undefined : { ...found.value, cas: found.cas }
  }
}

function asJson(found: Found | undefined): unknown {
  if (found === undefined) return null
  const { data, flags, cas, ttl } = found
  return { value: readable(data), bytes: data.length, flags, cas: cas?.toString(), ttl }
}

function print(key: string, found: Found | undefined): void {
  if (found === undefined) {
    process.stderr.write(`latchkey: ${key}: not found\n`)
    return
  }
  process.stdout.write(found.data)
  process.stdout.write('\n')
}
