/** The worker's side of a crew of threads. */
import { parentPort } from 'node:worker_threads'
import type { Algorithm } from '../algorithm.js'
import type { Laboratory } from '../laboratory.js'
import { type Rules, type Share, workOff } from './crew.js'

/** To be called once, in a worker thread: works off what the main thread sends, until it is terminated. */
export function serveShares(laboratory: Laboratory, rules: Rules, algorithmNamed: (name: string) => Algorithm): void {
  parentPort!.on('message', async (share: Share) => {
    parentPort!.postMessage(await workOff(share, algorithmNamed(share.algorithm), laboratory, rules))
  })
}
