/** Which servers a command speaks to, and how. */
import { type Command, InvalidArgumentError as InvalidOption } from 'commander'

export interface ServerFlags {
  server?: string[]
  servers?: string[]
  tls?: boolean
  username?: string
  deadline: number
}

const LOCAL = '127.0.0.1:11211'

export function addServerFlags(command: Command, several: string): Command {
  return command
    .option('-s, --server <address>', `host:port or a socket; again for each of several, ${several}`, collect)
    .option('--servers <list>', 'the same, with commas between them', split)
    .option('--tls', 'connect by TLS')
    .option('--username <name>', 'ASCII authentication; the password is read from LATCHKEY_PASSWORD')
    .option('--deadline <ms>', 'milliseconds to wait for a server', milliseconds, 1000)
}

/** Default: the one of this machine. */
export function serversOf({ server = [], servers = [] }: ServerFlags): string[] {
  const named = [...server, ...servers]
  return named.length === 0 ? [LOCAL] : named
}

/** As the client takes them; the deadline is each command's own. */
export function connectionOf(flags: ServerFlags) {
  const { username, tls = false } = flags
  const credentials = username === undefined ? {} : { username, password: process.env.LATCHKEY_PASSWORD ?? '' }
  return { servers: serversOf(flags), tls, ...credentials }
}

function collect(address: string, before: string[] = []): string[] {
  return [...before, address]
}

function split(list: string, before: string[] = []): string[] {
  const addresses = list.split(',').map((address) => address.trim())
  if (addresses.includes('')) throw new InvalidOption('It is a list such as 10.0.0.1:11211,10.0.0.2:11211.')
  return [...before, ...addresses]
}

function milliseconds(text: string): number {
  const ms = Number(text)
  if (!(ms > 0) || ms === Number.POSITIVE_INFINITY) throw new InvalidOption('It is a number of milliseconds.')
  return ms
}
