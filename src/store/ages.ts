/**
 * How long the longest idle items have been so, by size class, as seen where they gather: in the oldest page of each
 * queue of each stripe. There is no list of all items by age, and a walk over all of them would hold everybody up.
 */
import type { Engine } from './engine.js'
import { sizeClass } from './items.js'
import { Page, Queue, QueueName, SIZE_CLASSES, State } from './layout.js'
import { RecordCursor } from './records.js'

/** Seconds, a cell a size class; −1 where none was seen. Locks each stripe in turn, for as long as three pages take. */
export function longestIdleSeconds(engine: Engine): Int32Array {
  const { nowMs, memory } = engine
  const nowSeconds = Math.floor(nowMs / 1000)
  const { control, stripes } = memory
  const idle = new Int32Array(SIZE_CLASSES).fill(-1)
  const record = new RecordCursor(memory)
  const key = engine.newKey()
  const see = () => {
    const { expiresAtMs, units, accessSeconds } = record
    if (expiresAtMs !== 0 && expiresAtMs <= nowMs) return
    record.readKey(key)
    if (engine.index.findLocked(key) !== record.location) return
    const size = sizeClass(units)
    idle[size] = Math.max(idle[size]!, nowSeconds - accessSeconds)
  }
  for (let stripe = 0; stripe < stripes; stripe++) {
    engine.withStripe(stripe, () => {
      for (let queue: number = QueueName.Small; queue <= QueueName.Pinned; queue++)
        eachInPageLocked(engine, control[engine.log.queueAt(stripe, queue as QueueName) + Queue.Tail]!, record, see)
    })
  }
  return idle
}

function eachInPageLocked(engine: Engine, page: number, record: RecordCursor, see: () => void): void {
  if (page === 0) return
  const { memory } = engine
  const at = memory.pageAt(page)
  for (let unit = memory.control[at + Page.First]!; unit < memory.control[at + Page.Used]!; ) {
    record.at(page * memory.pageUnits + unit)
    const { units, state } = record
    if ((state & State.Dead) === 0) see()
    unit += units
  }
}
