/** A table that a real thread uses on memory whose writes are counted, so that the thread can be stopped at any of them. */
import { type StoreHandle, Table } from 'latchkey/store'
import { countAtomics, counted, Life } from '../../store/mortal-memory.js'
import { Lane, laneAt } from './job.js'

/** Ends where the lane's fuse has burned down: the thread stands still, and is terminated by another. */
class Fuse extends Life {
  readonly #lanes: Int32Array
  readonly #lane: number

  constructor(lanes: Int32Array, lane: number) {
    super()
    this.#lanes = lanes
    this.#lane = lane
  }

  override step(): void {
    const fuse = laneAt(this.#lane, Lane.Fuse)
    if (Atomics.load(this.#lanes, fuse) === 0 || Atomics.sub(this.#lanes, fuse, 1) > 1) return
    const parked = laneAt(this.#lane, Lane.Parked)
    Atomics.store(this.#lanes, parked, 1)
    for (;;) Atomics.wait(this.#lanes, parked, 1)
  }
}

/** The table makes its views of the memory as it attaches; only those made meanwhile are counted. */
export function attachMortal(handle: StoreHandle, lanes: Int32Array, lane: number): Table {
  const fuse = new Fuse(lanes, lane)
  countAtomics()
  const { control, data, waiters } = handle.memory
  const buffers = new Set<unknown>([control, waiters, ...data])
  const views = ['Int32Array', 'Float64Array', 'Uint8Array', 'DataView'] as const
  const real = views.map((name) => [name, globalThis[name]] as const)
  for (const [name, View] of real) Object.assign(globalThis, { [name]: countedView(View, buffers, fuse) })
  try {
    return Table.attach(handle)
  } finally {
    for (const [name, View] of real) Object.assign(globalThis, { [name]: View })
  }
}

// biome-ignore lint/suspicious/noExplicitAny: any of the views' constructors
function countedView(View: any, buffers: Set<unknown>, fuse: Fuse): any {
  return new Proxy(View, {
    construct(target, given) {
      const view = new target(...given)
      return buffers.has(given[0]) ? counted(view, fuse) : view
    },
  })
}
