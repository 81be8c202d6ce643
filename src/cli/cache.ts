/** What the commands that look into a cache share: where it is, one client for the command, and how results are shown. */
import { Command, InvalidArgumentError as InvalidOption } from 'commander'
import { CacheError, type Client, type Codec, createClient } from '../client/index.js'

export interface CacheFlags {
  /** Default 127.0.0.1:11211. */
  server?: string[]
  json?: boolean
  tls?: boolean
  username?: string
  deadline: number
}

/** A value with its flags, untouched: whoever looks into a cache wants what is there. */
export interface Raw {
  data: Uint8Array
  flags: number
}

const LOCAL = '127.0.0.1:11211'

const raw: Codec<Raw> = {
  encode: (value) => value,
  decode: (data, flags) => ({ data: Buffer.from(data), flags }),
}

export function cacheCommand(name: string): Command {
  return new Command(name)
    .option('-s, --server <address>', 'host:port or a socket; again for each of several, which are one ring', collect)
    .option('--json', 'print JSON')
    .option('--tls', 'connect by TLS')
    .option('--username <name>', 'ASCII authentication; the password is read from LATCHKEY_PASSWORD')
    .option('--deadline <ms>', 'milliseconds to wait for a server', milliseconds, 1000)
    .allowExcessArguments(false)
}

export function serversOf({ server = [LOCAL] }: CacheFlags): string[] {
  return server
}

/** Runs `work` with a client. What fails is told on stderr, and ends the process with 1. */
export async function withCache(flags: CacheFlags, work: (cache: Client<Raw>) => Promise<boolean>): Promise<void> {
  try {
    const { username, deadline, tls = false } = flags
    const credentials = username === undefined ? {} : { username, password: process.env.LATCHKEY_PASSWORD ?? '' }
    await using cache = createClient({
      servers: serversOf(flags),
      codec: raw,
      deadlineMs: deadline,
      tls,
      ...credentials,
    })
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

function collect(address: string, before: string[] = []): string[] {
  return [...before, address]
}

function milliseconds(text: string): number {
  const ms = Number(text)
  if (!(ms > 0) || ms === Number.POSITIVE_INFINITY) throw new InvalidOption('It is a number of milliseconds.')
  return ms
}
