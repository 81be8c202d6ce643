/** `latchkey delete <key…>`. */
import type { Command } from 'commander'
import { type CacheFlags, cacheCommand, printJson, withCache } from './cache.js'

export function deleteCommand(): Command {
  return cacheCommand('delete')
    .description('delete keys; ends with 1 when one is missing')
    .argument('<key...>')
    .action(run)
}

async function run(keys: string[], flags: CacheFlags): Promise<void> {
  await withCache(flags, async (cache) => {
    const deleted = await Promise.all(keys.map((key) => cache.delete(key)))
    if (flags.json) printJson(Object.fromEntries(keys.map((key, i) => [key, deleted[i]])))
    else {
      for (const key of keys.filter((_, i) => !deleted[i])) process.stderr.write(`latchkey: ${key}: not found\n`)
    }
    return !deleted.includes(false)
  })
}
