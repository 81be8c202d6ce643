/**
 * Hears from the server itself which keys it evicts, on several connections, as the thread that serves one may die. Each event
 * has a number (`gid`), by which it is counted once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Wire } from '../../support/wire.js'
import type { Address } from './strangers.js'

export const WATCHES = 4
const NEWS_MS = 500
/** Until a thread of the server has been replaced: else all watches would soon be on the one that is left. */
const AWAY_MS = 400
/** Events come nearly in order: so far back one may be heard again. */
const RECENT = 50_000

export class EvictionWatch {
  /** By key: how often it was evicted, as far as heard. */
  readonly byKey = new Map<string, number>()
  heard = 0
  /** When it was told that events were skipped, as there were too many. */
  readonly skippedMs: number[] = []
  #recent = new Set<number>()
  #newest = 0
  #isOver = false
  readonly #server: Address
  readonly #running: Promise<void>[]

  private constructor(server: Address, wires: Wire[]) {
    this.#server = server
    this.#running = wires.map((wire) => this.#run(wire))
  }

  static async start(server: Address): Promise<EvictionWatch> {
    return new EvictionWatch(server, await Promise.all(Array.from({ length: WATCHES }, () => watching(server))))
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#running)
  }

  async #run(first: Wire): Promise<void> {
    let wire = first
    while (!this.#isOver) {
      const line = await wire.takeUntil('\n', NEWS_MS)
      if (wire.closed) {
        await sleep(AWAY_MS)
        wire = (await watching(this.#server).catch(() => undefined)) ?? wire
        continue
      }
      wire.putBack(line)
      const whole = wire.peek().lastIndexOf('\n') + 1
      if (whole > 0) this.#hear((await wire.take(whole)).toString('latin1'))
    }
    wire.close()
  }

  #hear(lines: string): void {
    if (lines.includes('skipped=')) this.skippedMs.push(performance.now())
    for (const [, gid, key] of lines.matchAll(/ gid=(\d+) type=eviction key=(\S+)/g)) {
      if (!this.#isNews(Number(gid))) continue
      this.heard++
      const name = decodeURIComponent(key!)
      this.byKey.set(name, (this.byKey.get(name) ?? 0) + 1)
    }
  }

  #isNews(gid: number): boolean {
    if (this.#recent.has(gid)) return false
    this.#recent.add(gid)
    this.#newest = Math.max(this.#newest, gid)
    if (this.#recent.size > 4 * RECENT)
      this.#recent = new Set([...this.#recent].filter((one) => one > this.#newest - RECENT))
    return true
  }
}

async function watching(server: Address): Promise<Wire> {
  const wire = await Wire.open(server)
  await wire.send('watch evictions\r\n')
  await wire.expect('OK\r\n')
  return wire
}
