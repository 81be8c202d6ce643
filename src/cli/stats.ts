/** `latchkey stats [server…]`: the figures of servers, side by side. One that is down does not hide the others. */
import type { Command } from 'commander'
import { type CacheFlags, cacheCommand, printJson, withCache } from './cache.js'
import { serversOf } from './servers.js'
import { tableText } from './table.js'

interface Flags extends CacheFlags {
  group: string
}

type Figures = Record<string, string>

export function statsCommand(): Command {
  return cacheCommand('stats')
    .description('print the statistics of servers; ends with 1 when one is down')
    .argument('[server...]', 'the same as --server')
    .option('--group <name>', 'settings, items, slabs, conns, and on Latchkey stripes', '')
    .action(run)
}

async function run(named: string[], flags: Flags): Promise<void> {
  const found = new Map<string, Figures>()
  for (const server of named.length === 0 ? serversOf(flags) : named) {
    await withCache({ ...flags, server: [server], servers: [] }, async (cache) => {
      for (const [name, figures] of await cache.stats(flags.group)) found.set(name, figures)
      return true
    })
  }
  if (flags.json) printJson(asJson(found))
  else process.stdout.write(table(found))
}

function asJson(stats: Map<string, Figures>): unknown {
  const numbers = (figures: Figures) =>
    Object.fromEntries(Object.entries(figures).map(([name, text]) => [name, asNumber(text)]))
  return Object.fromEntries(Array.from(stats, ([server, figures]) => [server, numbers(figures)]))
}

/** A number where that loses nothing. */
function asNumber(text: string): string | number {
  return text !== '' && String(Number(text)) === text && Number.isFinite(Number(text)) ? Number(text) : text
}

function table(stats: Map<string, Figures>): string {
  const servers = [...stats.keys()]
  const names = new Set(Array.from(stats.values(), (figures) => Object.keys(figures)).flat())
  const rows = Array.from(names, (name) => [name, ...servers.map((server) => stats.get(server)![name] ?? '-')])
  if (servers.length > 1) rows.unshift(['', ...servers])
  return tableText(rows, (column) => column > 0)
}
