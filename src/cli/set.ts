/** `latchkey set <key> <value>`: one value, from the command line or from stdin. */
import { type Command, InvalidArgumentError as InvalidOption, Option } from 'commander'
import { type CacheFlags, cacheCommand, printJson, withCache } from './cache.js'

interface Flags extends CacheFlags {
  ttl?: string
  flags: number
  add?: boolean
  replace?: boolean
}

export function setCommand(): Command {
  return cacheCommand('set')
    .description('store a value; ends with 1 when --add or --replace finds it not to be done')
    .argument('<key>')
    .argument('<value>', '- reads it from stdin')
    .option('--ttl <span>', 'such as 500ms, 30s, 5m, 2h, 7d (default: does not expire)')
    .option('--flags <number>', 'kept beside the value, 32 bits', u32, 0)
    .addOption(new Option('--add', 'only if there is none').conflicts('replace'))
    .addOption(new Option('--replace', 'only if there is one').conflicts('add'))
    .action(run)
}

async function run(key: string, value: string, flags: Flags): Promise<void> {
  await withCache(flags, async (cache) => {
    const data = value === '-' ? await stdin() : Buffer.from(value)
    const options = flags.ttl === undefined ? {} : { ttl: flags.ttl }
    const method = flags.add ? 'add' : flags.replace ? 'replace' : 'set'
    const stored = await cache[method](key, { data, flags: flags.flags }, options)
    if (flags.json) printJson({ stored })
    else if (!stored) process.stderr.write(`latchkey: ${key}: ${flags.add ? 'is there already' : 'not found'}\n`)
    return stored
  })
}

async function stdin(): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of process.stdin) pieces.push(piece)
  return Buffer.concat(pieces)
}

function u32(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value < 2 ** 32) return value
  throw new InvalidOption('Flags are a whole number of 32 bits.')
}
