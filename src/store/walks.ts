/** Walks over the items of a page or a queue, for those that only look. The stripe is locked, and nothing may change on the way. */
import type { Engine } from './engine.js'
import { Page, Queue, type QueueName, State } from './layout.js'
import type { RecordCursor } from './records.js'

/** Calls `see` with a cursor on each item that begins in a page. The page is in a queue; 0 for none. */
export function eachInPageLocked(engine: Engine, page: number, see: (record: RecordCursor) => void): void {
  if (page === 0) return
  const { memory, walk } = engine
  const key = engine.newKey()
  const at = memory.pageAt(page)
  for (let unit = memory.control[at + Page.First]!; unit < memory.control[at + Page.Used]!; ) {
    walk.at(page * memory.pageUnits + unit)
    const { units, state, location } = walk
    unit += units
    if ((state & State.Dead) !== 0) continue
    walk.readKey(key)
    // One that was never published, or replaced, is no item.
    if (engine.index.findLocked(key) === location) see(walk)
  }
}

/** Calls `see` with the location of each item in a queue. */
export function eachInQueueLocked(
  engine: Engine,
  stripe: number,
  queue: QueueName,
  see: (location: number) => void,
): void {
  const { control } = engine.memory
  for (let page = control[engine.log.queueAt(stripe, queue) + Queue.Tail]!; page !== 0; ) {
    eachInPageLocked(engine, page, ({ location }) => see(location))
    page = control[engine.memory.pageAt(page) + Page.Next]!
  }
}
