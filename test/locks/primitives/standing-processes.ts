/** Processes that stand for election, as the test sees them. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { eventually } from '../../support/eventually.js'
import type { Order, Report } from './standing.js'

type Elected = Extract<Report, { is: 'elected' }>
type Lost = Extract<Report, { is: 'lost' }>

export interface Term {
  readonly who: string
  readonly fence: bigint
  readonly fromMs: number
  /** Infinity: it has not ended. */
  toMs: number
  code?: string
}

export class Standing {
  readonly name: string
  readonly reports: Report[] = []
  readonly #child: ChildProcess
  /** Since when it can do nothing: killed, or stopped. */
  #haltedMs = Number.POSITIVE_INFINITY

  constructor(name: string) {
    this.name = name
    const program = join(import.meta.dirname, 'standing.js')
    this.#child = fork(program, [name], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#child.on('message', (report: Report) => this.reports.push(report))
  }

  order(order: Order): void {
    this.#child.send(order)
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
    if (signal !== 'SIGCONT') this.#haltedMs = Number(process.hrtime.bigint()) / 1e6
  }

  /** Its terms on this server. One that was halted believed no longer than until then. */
  terms(at: string): Term[] {
    const lost = this.reports.filter((report): report is Lost => report.is === 'lost' && report.at === at)
    return this.reports
      .filter((report): report is Elected => report.is === 'elected' && report.at === at)
      .map(({ fence, ms }) => {
        const end = lost.find((report) => report.fence === fence)
        const halted = ms < this.#haltedMs ? this.#haltedMs : Number.POSITIVE_INFINITY
        const toMs = Math.min(end?.ms ?? Number.POSITIVE_INFINITY, halted)
        return { who: this.name, fence: BigInt(fence), fromMs: ms, toMs, ...(end && { code: end.code }) }
      })
  }

  leads(at: string): boolean {
    return this.terms(at).at(-1)?.toMs === Number.POSITIVE_INFINITY
  }

  async until(what: string, ask: () => boolean): Promise<void> {
    await eventually(`${this.name} ${what}`, async () => ask())
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}
