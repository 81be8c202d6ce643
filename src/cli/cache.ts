/** What the commands that look into a cache share: one client for the command, and how results are shown. */
import { Command } from 'commander'
import { CacheError, type Client, type Codec, createClient } from '../client/index.js'
import { addServerFlags, connectionOf, type ServerFlags } from './servers.js'

export interface CacheFlags extends ServerFlags {
  json?: boolean
}

/** A value with its flags, untouched: whoever looks into a cache wants what is there. */
export interface Raw {
  data: Uint8Array
  flags: number
}

const raw: Codec<Raw> = {
  encode: (value) => value,
  decode: (data, flags) => ({ data: Buffer.from(data), flags }),
}

export function cacheCommand(name: string): Command {
  return addServerFlags(new Command(name), 'which are one ring')
    .option('--json', 'print JSON')
    .allowExcessArguments(false)
}

/** Runs `work` with a client. What fails is told on stderr, and ends the process with 1. */
export async function withCache(flags: CacheFlags, work: (cache: Client<Raw>) => Promise<boolean>): Promise<void> {
  try {
    await using cache = createClient({ ...connectionOf(flags), codec: raw, deadlineMs: flags.deadline })
    if (!(await work(cache))) process.exitCode = 1
  } catch (error) {
    if (!(error instanceof CacheError)) throw error
    process.stderr.write(`latchkey: ${error.message}\n`)
    process.exitCode = 1
  }
}

/** Text where the bytes are text, else base64, marked as such. */
export function readable(data: Uint8Array): string | { base64: string } {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(data)
  } catch {
    return { base64: Buffer.from(data).toString('base64') }
  }
}

export function printJson(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
}
