/** What a ZooKeeper promises. */
import type { Call, Facts } from '../../driver.js'
import type { Ensemble } from './ensemble.js'
import { serverInfo } from './server-info.js'

export async function factsOf(ensemble: Ensemble, key: string, call: Call): Promise<Facts> {
  const where = await ensemble.ask(key, call, async (main) => main.where)
  const { version, alone } = await serverInfo(where, call.deadlineMs)
  return {
    what: `ZooKeeper ${version} at ${where}`,
    evicts: false,
    survivesRestart: true,
    durable: true,
    granularityMs: 0,
    queues: true,
    replicas: alone ? undefined : 'majority',
    remote: true,
    notes: [
      'A lease lasts no longer than maxSessionTimeout of the servers, 40 s unless they are told otherwise; longer ones are refused. After a crash it may last up to a tick longer, or minSessionTimeout if that is more.',
      'An ensemble that has lost its data does not let those in who were connected before. New ones it does: start them after the longest lease; its fences begin anew.',
    ],
  }
}
