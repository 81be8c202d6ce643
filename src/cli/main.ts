#!/usr/bin/env node
/** `latchkey <command>`: one file a command. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { deleteCommand } from './delete.js'
import { getCommand } from './get.js'
import { serveCommand } from './serve.js'
import { setCommand } from './set.js'
import { statsCommand } from './stats.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

/** Wrong usage ends with 2, as in most tools; what fails while it runs ends with 1. */
const USAGE_ERROR = 2

const program = new Command('latchkey')
  .description('memcached for TypeScript, with locks you can trust')
  .version(version, '-V, --version')
  .addCommand(serveCommand())
  .addCommand(statsCommand())
  .addCommand(getCommand())
  .addCommand(setCommand())
  .addCommand(deleteCommand())
  .showHelpAfterError('(latchkey --help tells more)')

for (const command of [program, ...program.commands]) {
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE_ERROR))
}

await program.parseAsync()
