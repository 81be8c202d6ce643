/** A command that writes down when it lived, by the wall clock, and may be deaf to SIGTERM. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const patienceMs = 20_000

export class Heartbeat {
  readonly #dir = mkdtempSync(join(tmpdir(), 'latchkey-heartbeat-'))
  readonly #file = join(this.#dir, 'beats')
  readonly #pidFile = join(this.#dir, 'pid')
  readonly #signalFile = join(this.#dir, 'signals')

  /** To be run: beats until a signal ends it. */
  readonly command: readonly string[]
  /** The same, deaf to SIGTERM, which it writes down. */
  readonly deaf: readonly string[]

  constructor() {
    const beat = `echo $$ > ${this.#pidFile}; while :; do date +%s%N >> ${this.#file}; sleep 0.02; done`
    this.command = ['sh', '-c', beat]
    this.deaf = ['sh', '-c', `trap "echo TERM >> ${this.#signalFile}" TERM; ${beat}`]
  }

  /** Resolves with its process id when it beats. */
  async started(): Promise<number> {
    await until('the command beats', () => this.beats().length > 0)
    return Number(readFileSync(this.#pidFile, 'utf8'))
  }

  async ended(): Promise<void> {
    const pid = await this.started()
    await until('the command has ended', () => !isAlive(pid))
  }

  /** Unix times in milliseconds. */
  beats(): number[] {
    return this.#lines(this.#file).map((line) => Number(line) / 1e6)
  }

  signals(): string[] {
    return this.#lines(this.#signalFile)
  }

  #lines(file: string): string[] {
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Waits until it is so; fails when it is not so after long. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + patienceMs
  while (!isSo()) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${patienceMs} ms: ${what}`)
    await sleep(10)
  }
}
