/** Several such processes, as the test sees them. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Order, Report } from './party.js'

const program = join(import.meta.dirname, 'party.js')
/** For hangs only. */
const hangMs = 60_000

export class Party {
  readonly #child: ChildProcess
  readonly #reports: Report[] = []
  #wake = () => {}

  constructor(address: string) {
    this.#child = fork(program, [address], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#child.on('message', (report: Report) => this.#heard(report))
    this.#child.on('exit', (code) => this.#heard({ is: 'failed', error: `the process ended: ${code}` }))
  }

  get pid(): number {
    return this.#child.pid!
  }

  order(order: Order): void {
    this.#child.send(order)
  }

  /** Its next report, which has to be one of these. */
  async next<Is extends Report['is']>(...expected: Is[]): Promise<Extract<Report, { is: Is }>> {
    if (this.#reports.length === 0) {
      let late: NodeJS.Timeout | undefined
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve
        late = setTimeout(() => reject(new Error(`no report, but ${expected} was expected`)), hangMs)
      })
      clearTimeout(late)
    }
    const report = this.#reports.shift()!
    assert.ok((expected as string[]).includes(report.is), `${expected} was expected, not ${JSON.stringify(report)}`)
    return report as Extract<Report, { is: Is }>
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    this.#child.removeAllListeners('exit')
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  #heard(report: Report): void {
    this.#reports.push(report)
    this.#wake()
  }
}

/** All started before `run` begins; ended when it has. */
export async function withParties(
  count: number,
  address: string,
  run: (parties: readonly Party[]) => Promise<void>,
): Promise<void> {
  const parties = Array.from({ length: count }, () => new Party(address))
  try {
    for (const party of parties) await party.next('ready')
    await run(parties)
  } finally {
    await Promise.all(parties.map((party) => party.kill()))
  }
}
