/** Several such processes, as the test sees them. */
import { join } from 'node:path'
import { ReportingProcess, withReady } from '../support/reporting-process.js'
import type { Order, Report } from './party.js'

export class Party extends ReportingProcess<Order, Report> {
  constructor(address: string) {
    super(join(import.meta.dirname, 'party.js'), [address])
  }
}

/** All started before `run` begins; ended when it has. */
export function withParties(
  count: number,
  address: string,
  run: (parties: readonly Party[]) => Promise<void>,
): Promise<void> {
  const parties = Array.from({ length: count }, () => new Party(address))
  return withReady(parties, run)
}
