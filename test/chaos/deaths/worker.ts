/** One thread of the run: operations of all kinds until it is told to stop, or is terminated. */
import { setImmediate as tick } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { Table } from 'latchkey/store'
import type { CrewData } from '../../store/crew.js'
import { Contender } from './contender.js'
import { Hands } from './hands.js'
import { Cell, type DeathsJob, DOOMED, Lane, LaneState, laneAt } from './job.js'
import { attachMortal } from './mortal-table.js'
import { Owner } from './owner.js'
import { Turns } from './turns.js'

/** Operations between two turns of the event loop, which is where those who wait hear of their grants. */
const BATCH = 12

const { handle, job } = workerData as CrewData<DeathsJob>
const { cells, lanes, lane } = job
const state = laneAt(lane, Lane.State)
const table = DOOMED.includes(lane) ? attachMortal(handle, lanes, lane) : Table.attach(handle)
const hands = new Hands(job, table)
const owner = new Owner(hands)
const contender = new Contender(hands)

/** Between operations, while the one who kills looks at the memory. */
function rest(): void {
  if (Atomics.load(cells, Cell.Pause) === 0) return
  Atomics.store(lanes, state, LaneState.Resting)
  while (Atomics.load(cells, Cell.Pause) !== 0) Atomics.wait(cells, Cell.Pause, 1)
  Atomics.store(lanes, state, LaneState.Running)
  // The pause may have begun anew before that was said.
  rest()
}

function work(): void {
  rest()
  if (hands.random.below(3) === 0) contender.act()
  else owner.act()
  Atomics.add(lanes, laneAt(lane, Lane.Operations), 1)
}

Atomics.store(lanes, state, LaneState.Running)
rest()
const turns = new Turns(hands)
const waiting = Promise.all([turns.run(), turns.run()])
while (Atomics.load(cells, Cell.Stop) === 0) {
  for (let i = 0; i < BATCH; i++) work()
  await tick()
}
await waiting
hands.store.close()
Atomics.store(lanes, state, LaneState.Absent)
parentPort!.postMessage('done')
