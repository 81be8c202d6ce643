/**
 * The program of a participant: a process of its own, or a worker thread where the locks are in shared memory. It plays one job after
 * the other, as the laboratory tells it.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Beliefs } from './beliefs.js'
import { catalogueAt } from './catalogue.js'
import { DistantResource } from './distant-resource.js'
import { handsIn, type OpenHands } from './hands.js'
import type { Job, Order, Report } from './messages.js'
import { Play } from './play.js'
import { pressHeap, relieveHeap, stall } from './pressure.js'

/** Of a process, the write to the channel is made before `send` returns, unless that is full. */
const tell: (report: Report) => void =
  parentPort === null ? (report) => void process.send!(report) : (report) => parentPort!.postMessage(report)
const catalogue = catalogueAt(parentPort === null ? process.argv[2] : workerData)

let hands: OpenHands | undefined
let play: Play | undefined
let resource: DistantResource | undefined

async function prepare(job: Job): Promise<void> {
  const algorithm = (await catalogue)(job.algorithm)
  const beliefs = new Beliefs(tell)
  resource = new DistantResource((question) => tell({ is: 'asks', question }))
  const believes = beliefs.begin.bind(beliefs)
  const uses = algorithm.row === undefined ? job.lock : undefined
  hands = await handsIn(job.home, algorithm.habits, { who: job.who, resource, believes, uses })
  await hands.warmUp()
  play = new Play(algorithm, job, hands, tell)
  tell({ is: 'prepared' })
}

async function rest(): Promise<void> {
  relieveHeap()
  await hands?.close()
  tell({ is: 'rested' })
}

function obey(order: Order): Promise<void> | void {
  if (order.do === 'prepare') return prepare(order.job)
  if (order.do === 'play') return play!.run(order.at)
  if (order.do === 'abort') return play!.abort()
  if (order.do === 'stall') return stall(order.ms)
  if (order.do === 'heap') return pressHeap(order.ms)
  if (order.do === 'hear') return resource!.hear(order.answer)
  return rest()
}

async function receive(order: Order): Promise<void> {
  try {
    await obey(order)
  } catch (error) {
    tell({ is: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

if (parentPort !== null) parentPort.on('message', receive)
else {
  process.on('message', receive)
  // Nobody is left to tell.
  process.once('disconnect', () => process.exit())
}
