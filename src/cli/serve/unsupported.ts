/** memcached's options that the server does not have, and what it says when it gets one. */
import { type Command, Option } from 'commander'

/** memcached options that mean something we do not do: flags, and what to say. */
const REFUSED: [flags: string, why: string][] = [
  ['-d, --daemon', 'daemons are the work of systemd, or of nohup and &, which see when one dies'],
  ['-C, --disable-cas', 'CAS tokens are what locks and fences stand on, and cannot be switched off'],
  ['-r, --enable-coredumps', 'use ulimit -c'],
]

/** memcached options that tune an engine we do not have: taken, with a word, so that old scripts run. */
const IGNORED: [flags: string, why: string][] = [
  ['-k, --lock-memory', 'shared buffers cannot be locked in memory from here'],
  ['-L, --enable-largepages', 'the kernel decides'],
  ['-f, --slab-growth-factor <factor>', 'there are no slabs'],
  ['-n, --slab-min-size <bytes>', 'there are no slabs'],
]

export function addUnsupported(command: Command): void {
  for (const [flags, why] of REFUSED) command.addOption(refused(command, flags, why))
  for (const [flags, why] of IGNORED) command.addOption(ignored(flags, why))
}

function refused(command: Command, flags: string, why: string): Option {
  const option = new Option(flags).hideHelp()
  command.on(`option:${option.name()}`, () => command.error(`error: ${option.short}: ${why}.`))
  return option
}

function ignored(flags: string, why: string): Option {
  const option = new Option(flags).hideHelp()
  return option.argParser((value) => {
    process.stderr.write(`latchkey: ${option.short} has no effect: ${why}.\n`)
    return value
  })
}
