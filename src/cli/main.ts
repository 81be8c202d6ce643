#!/usr/bin/env node
/** `latchkey <command>`: one file a command. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { deleteCommand } from './delete.js'
import { exitCodes } from './exit-codes.js'
import { getCommand } from './get.js'
import { lockCommand } from './lock.js'
import { locksCommand } from './locks.js'
import { serveCommand } from './serve.js'
import { setCommand } from './set.js'
import { statsCommand } from './stats.js'
import { tortureCommand } from './torture.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

const program = new Command('latchkey')
  .description('memcached for TypeScript, with locks you can trust')
  .version(version, '-V, --version')
  .addCommand(serveCommand())
  .addCommand(lockCommand())
  .addCommand(locksCommand())
  .addCommand(statsCommand())
  .addCommand(getCommand())
  .addCommand(setCommand())
  .addCommand(deleteCommand())
  .addCommand(tortureCommand())
  .showHelpAfterError('(latchkey --help tells more)')

for (const command of withAllBelow(program)) {
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : exitCodes.usage))
}

// Whoever read the output has seen enough, as `head` does. What is done matters more than that it is told.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

await program.parseAsync()

function withAllBelow(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withAllBelow)]
}
