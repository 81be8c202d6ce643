/** Several contenders, as the test sees them. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Order, Report, Way } from './contender.js'

const program = join(import.meta.dirname, 'contender.js')
/** For hangs only. */
const hangMs = 30_000

export class Contender {
  readonly #child: ChildProcess
  readonly #reports: Report[] = []
  #wake = () => {}

  constructor(way: Way, server: string) {
    this.#child = fork(program, [way, server], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#child.on('message', (report: Report) => this.#heard(report))
    this.#child.on('exit', (code) => this.#heard({ is: 'failed', error: `the process ended: ${code}` }))
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

  async stop(): Promise<void> {
    this.#child.removeAllListeners('exit')
    if (this.#child.exitCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  #heard(report: Report): void {
    this.#reports.push(report)
    this.#wake()
  }
}

/** As many processes as there are servers to talk to, all started before `run` begins; ended when it has. */
export async function withContenders(
  way: Way,
  servers: readonly string[],
  run: (contenders: readonly Contender[]) => Promise<void>,
): Promise<void> {
  const contenders = servers.map((server) => new Contender(way, server))
  try {
    for (const contender of contenders) await contender.next('ready')
    await run(contenders)
  } finally {
    await Promise.all(contenders.map((contender) => contender.stop()))
  }
}
