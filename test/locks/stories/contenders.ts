/** Several contenders, as the test sees them. */
import { join } from 'node:path'
import { ReportingProcess, withReady } from '../support/reporting-process.js'
import type { Order, Report, Way } from './contender.js'

export class Contender extends ReportingProcess<Order, Report> {
  constructor(way: Way, server: string) {
    super(join(import.meta.dirname, 'contender.js'), [way, server])
  }
}

/** As many processes as there are servers to talk to, all started before `run` begins; ended when it has. */
export function withContenders(
  way: Way,
  servers: readonly string[],
  run: (contenders: readonly Contender[]) => Promise<void>,
): Promise<void> {
  const contenders = servers.map((server) => new Contender(way, server))
  return withReady(contenders, run)
}
