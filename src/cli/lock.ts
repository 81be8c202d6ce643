/** `latchkey lock <name> -- <command>`: for cron and deploy scripts, a command that runs while its lock is held, and no longer. */
import { basename } from 'node:path'
import { Command, Option } from 'commander'
import { exitCodes } from './exit-codes.js'
import { Signals } from './guard/signals.js'
import { lockAndRun } from './lock-and-run.js'
import { span, spanOrForever, whole } from './sizes.js'
import { addLocksFlags, type LocksFlags, withLocks } from './with-locks.js'

interface Flags extends LocksFlags {
  ttl: number
  wait: number
  maxHold: number
  killAfter?: number
  conflictExitCode: number
  label?: string
  verbose?: boolean
}

const LONGEST_LABEL = 200
const KILL_AFTER_MS = 5000

const MORE = `
The command runs with LATCHKEY_NAME, LATCHKEY_OWNER and LATCHKEY_FENCE in its environment. Signals sent to latchkey go
on to the command, and the lock is released when that has ended. When the lease cannot be renewed, the command gets
SIGTERM, and SIGKILL before the lease is over; when the lock is taken away, or latchkey dies, SIGTERM at once. It runs in a
session of its own: it cannot open /dev/tty, and a process that it moves to another session, or that runs as another user, is
not reached.

Exit codes: that of the command (128 and the signal's number when one ended it), or
  ${exitCodes.usage}    wrong usage
  ${exitCodes.unavailable}   the lock cannot be had: a server is down, or did not tell; nothing has run
  ${exitCodes.noGuard}   the process that guards the command could not be started, or has died; the command was stopped
  ${exitCodes.lost}   the lock was lost while the command ran, which was stopped if it still did
  ${exitCodes.busy}   another holds the lock; nothing has run
  ${exitCodes.notExecutable}  the command cannot be executed
  ${exitCodes.notFound}  there is no such command`

export function lockCommand(): Command {
  return addLocksFlags(new Command('lock'))
    .description('run a command while a lock is held')
    .usage('[options] <name> -- <command> [arguments…]')
    .argument('<name>')
    .argument('<command...>')
    .addOption(
      new Option(
        '--ttl <span>',
        'lease: the lock is free so long after this machine has died; 3s at least on memcached',
      )
        .argParser(span)
        .default(30_000, '30s'),
    )
    .option('-w, --wait <span>', 'how long to wait for a lock that another holds, or forever', spanOrForever, 0)
    .addOption(
      new Option('--max-hold <span>', 'longest that the lease is renewed')
        .argParser(spanOrForever)
        .default(Number.POSITIVE_INFINITY, 'forever'),
    )
    .option(
      '--kill-after <span>',
      'from SIGTERM to SIGKILL (default: 5s, or a sixth of the lease if that is less)',
      span,
    )
    .option('-E, --conflict-exit-code <n>', 'exit code when another holds the lock', whole(0, 255), exitCodes.busy)
    .option('--label <text>', 'who holds it, for others to see (default: the name of the command)')
    .option('-v, --verbose', 'tell on stderr who is waited for, and when the lock is held')
    .addHelpText('after', MORE)
    .action(run)
}

async function run(name: string, line: string[], flags: Flags, command: Command): Promise<void> {
  if (process.platform === 'win32') {
    command.error('error: latchkey lock does not run on Windows, which has no process groups and no SIGTERM.')
  }
  const { killAfter = Math.min(KILL_AFTER_MS, flags.ttl / 6), ttl } = flags
  // A third of the lease passes before it is renewed, and a renewal takes its time.
  if (killAfter > ttl / 2) {
    command.error(
      'error: --kill-after is more than half of --ttl, and would stop the command before the lease is renewed.',
    )
  }
  const label = (flags.label ?? basename(line[0])).toWellFormed().slice(0, LONGEST_LABEL)
  const signals = new Signals()
  await withLocks(flags, (locks) => lockAndRun(locks, signals, { ...flags, name, label, command: line, killAfter }))
}
