/** `latchkey stats [server…]`: the figures of servers, side by side. */
import type { Command } from 'commander'
import { type CacheFlags, cacheCommand, printJson, withCache } from './cache.js'

interface Flags extends CacheFlags {
  group: string
}

export function statsCommand(): Command {
  return cacheCommand('stats')
    .description('print the statistics of servers')
    .argument('[server...]', 'the same as --server')
    .option('--group <name>', 'settings, items, slabs, conns, and on Latchkey stripes', '')
    .action(run)
}

async function run(servers: string[], flags: Flags): Promise<void> {
  await withCache(servers.length === 0 ? flags : { ...flags, server: servers }, async (cache) => {
    const stats = await cache.stats(flags.group)
    if (flags.json) printJson(asJson(stats))
    else process.stdout.write(table(stats))
    return true
  })
}

function asJson(stats: Map<string, Record<string, string>>): unknown {
  const numbers = (figures: Record<string, string>) =>
    Object.fromEntries(Object.entries(figures).map(([name, text]) => [name, asNumber(text)]))
  return Object.fromEntries(Array.from(stats, ([server, figures]) => [server, numbers(figures)]))
}

/** A number where that loses nothing. */
function asNumber(text: string): string | number {
  return text !== '' && String(Number(text)) === text && Number.isFinite(Number(text)) ? Number(text) : text
}

function table(stats: Map<string, Record<string, string>>): string {
  const servers = [...stats.keys()]
  const names = new Set(Array.from(stats.values(), (figures) => Object.keys(figures)).flat())
  const rows = Array.from(names, (name) => [name, ...servers.map((server) => stats.get(server)![name] ?? '-')])
  if (servers.length > 1) rows.unshift(['', ...servers])
  const widths = rows.reduce((most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)), [] as number[])
  const line = (row: string[]) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
  return rows.map((row) => `${line(row).join('  ')}\n`).join('')
}
