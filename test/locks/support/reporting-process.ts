/** A process that does one thing after the other as told, and reports what came of each. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** For hangs only. */
const hangMs = 60_000

interface Named {
  readonly is: string
}

interface Failed extends Named {
  readonly is: 'failed'
  readonly error: string
}

export class ReportingProcess<Order extends object, Report extends Named> {
  readonly #child: ChildProcess
  readonly #reports: (Report | Failed)[] = []
  #wake = () => {}

  constructor(program: string, args: readonly string[]) {
    this.#child = fork(program, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#child.on('message', (report: Report) => this.#heard(report))
    this.#child.on('exit', (code) => this.#heard({ is: 'failed', error: `the process ended: ${code}` }))
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** Its first report. */
  ready(): Promise<Report> {
    return this.next('ready')
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

  /** At once, also one that is stopped. Harmless for one that has ended. */
  async stop(): Promise<void> {
    this.#child.removeAllListeners('exit')
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  #heard(report: Report | Failed): void {
    this.#reports.push(report)
    this.#wake()
  }
}

/** Runs `run` when all are ready; they are ended when it has. */
export async function withReady<P extends { ready(): Promise<unknown>; stop(): Promise<void> }>(
  processes: readonly P[],
  run: (processes: readonly P[]) => Promise<void>,
): Promise<void> {
  try {
    for (const each of processes) await each.ready()
    await run(processes)
  } finally {
    await Promise.all(processes.map((each) => each.stop()))
  }
}
