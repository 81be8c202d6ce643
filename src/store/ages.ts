/**
 * How long the longest idle items have been so, by size class, as seen where they gather: in the oldest page of each
 * queue of each stripe. There is no list of all items by age, and a walk over all of them would hold everybody up.
 */
import type { Engine } from './engine.js'
import { sizeClass } from './items.js'
import { Queue, QueueName, SIZE_CLASSES } from './layout.js'
import type { RecordCursor } from './records.js'
import { eachInPageLocked } from './walks.js'

/** Seconds, a cell a size class; −1 where none was seen. Locks each stripe in turn, for as long as three pages take. */
export function longestIdleSeconds(engine: Engine): Int32Array {
  const { nowMs, memory } = engine
  const nowSeconds = Math.floor(nowMs / 1000)
  const { control, stripes } = memory
  const idle = new Int32Array(SIZE_CLASSES).fill(-1)
  const see = ({ expiresAtMs, units, accessSeconds }: RecordCursor) => {
    if (expiresAtMs !== 0 && expiresAtMs <= nowMs) return
    const size = sizeClass(units)
    idle[size] = Math.max(idle[size]!, nowSeconds - accessSeconds)
  }
  for (let stripe = 0; stripe < stripes; stripe++) {
    engine.withStripe(stripe, () => {
      for (let queue: number = QueueName.Small; queue <= QueueName.Pinned; queue++)
        eachInPageLocked(engine, control[engine.log.queueAt(stripe, queue as QueueName) + Queue.Tail]!, see)
    })
  }
  return idle
}
