/** Asking a server, and what its `stats` say. */
import type { Wire } from '../../support/wire.js'

/** Sends lines, and takes all replies up to the one to the `mn` behind them. */
export async function say(wire: Wire, lines: string): Promise<string> {
  await wire.send(`${lines}\r\nmn\r\n`)
  const replies = (await wire.takeUntil('MN\r\n')).toString('latin1')
  return replies.slice(0, -'MN\r\n'.length)
}

/** What `stats <kind>` tells, by name. */
export async function statsOf(wire: Wire, kind = ''): Promise<Map<string, string>> {
  const reply = await say(wire, `stats ${kind}`.trimEnd())
  return new Map([...reply.matchAll(/^STAT (\S+) (.*)\r$/gm)].map(([, name, value]) => [name, value]))
}

/** The whole numbers in such a reply. */
export function numbersIn(reply: string): Map<string, number> {
  return new Map([...reply.matchAll(/^STAT (\S+) (\d+)\r$/gm)].map(([, name, value]) => [name, Number(value)]))
}

export async function numbersOf(wire: Wire): Promise<Map<string, number>> {
  return numbersIn(await say(wire, 'stats'))
}

/** With the numbers of classes and connections left out. */
export function namesIn(stats: Map<string, string>): Set<string> {
  return new Set([...stats.keys()].map((name) => name.replace(/(^|:)\d+:/, '$1*:')))
}
