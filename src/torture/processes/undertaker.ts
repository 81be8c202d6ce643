/**
 * The program that cleans up after the laboratory, however that ends: it keeps a list of what there is, and when the laboratory is
 * gone it kills, removes and deletes what is still on it. Stopped processes do not notice that their parent is gone, and servers do not care.
 */
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Item } from './estate.js'
import { deleteKeys } from './keys.js'
import { signalTree } from './process-tree.js'

/** What was sent before its sender died is on its way to the server, if anywhere. Milliseconds. */
const ON_THE_WAY_MS = 200

const left = new Map<string, Item>()

function bury(item: Item): void {
  try {
    if (item.is === 'process') signalTree(item.pid, 'SIGKILL')
    if (item.is === 'directory') rmSync(item.path, { recursive: true, force: true })
  } catch {
    // It has ended by itself.
  }
}

async function clean(): Promise<void> {
  const items = [...left.values()]
  // A server may write to its directory as long as it lives.
  for (const item of items.filter(({ is }) => is === 'process')) bury(item)
  const keys = items.filter((item) => item.is === 'key')
  if (items.length > 0) await sleep(ON_THE_WAY_MS)
  for (const item of items.filter(({ is }) => is === 'directory')) bury(item)
  for (const server of new Set(keys.map((item) => item.server))) {
    const mine = keys.filter((item) => item.server === server).map(({ key }) => key)
    await deleteKeys(server, mine).catch((error) => process.stderr.write(`${error.message}\n`))
  }
}

process.on('message', (item: Item) => {
  const { gone, ...what } = item
  const name = JSON.stringify(what)
  if (gone) left.delete(name)
  else left.set(name, item)
})
process.once('disconnect', () => void clean().finally(() => process.exit()))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
