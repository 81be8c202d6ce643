/**
 * Memory whose writes are counted, and which dies at the write it is told to: that write and all later ones are not
 * done, and throw, so that no handler on the way out can tidy up. What is left is what a terminated thread leaves.
 */
import type { Memory } from '#dist/store/memory.js'

/** Thrown by every write of a thread that is dead. */
export class Death extends Error {}

type Cells = Int32Array | Float64Array | Uint8Array | DataView

/** What the proxies stand for: `Atomics` takes real arrays only. */
const behind = new WeakMap<object, { cells: Int32Array; life: Life }>()

export class Life {
  writes = 0
  #end = Number.POSITIVE_INFINITY

  /** Counts from 0 again, and ends before write number `end`, the first being 0. */
  begin(end: number): void {
    this.writes = 0
    this.#end = end
  }

  get isOver(): boolean {
    return this.writes > this.#end
  }

  step(): void {
    if (this.writes++ >= this.#end) throw new Death()
  }
}

/** Puts counting views in the place of a memory's own; `data` may have one buffer only. */
export function makeMortal(memory: Memory, life: Life): void {
  const buffer = memory.buffers[0]!
  Object.assign(memory, {
    control: counted(memory.control, life),
    doubles: counted(memory.doubles, life),
    words: memory.words.map((words) => counted(words, life)),
    buffers: [{ u8: counted(buffer.u8, life), view: buffer.view }],
    waiterWords: counted(memory.waiterWords, life),
    waiterDoubles: counted(memory.waiterDoubles, life),
  })
}

/** A view of memory whose writes are steps of a life. */
export function counted<T extends Cells>(cells: T, life: Life): T {
  const proxy = cells instanceof DataView ? countedView(cells, life) : countedArray(cells, life)
  if (cells instanceof Int32Array) behind.set(proxy, { cells, life })
  return proxy as T
}

function countedView(view: DataView, life: Life): DataView {
  return new Proxy(view, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (!String(name).startsWith('set')) return value.bind(target)
      return (...rest: unknown[]) => {
        life.step()
        return value.apply(target, rest)
      }
    },
  })
}

function countedArray<T extends Exclude<Cells, DataView>>(cells: T, life: Life): T {
  const bulk = {
    // In two halves: a thread may end in the middle of a long copy.
    fill(value: number, from = 0, to = cells.length) {
      const middle = (from + to) >> 1
      life.step()
      cells.fill(value, from, middle)
      life.step()
      cells.fill(value, middle, to)
      return cells
    },
    set(source: Uint8Array, at = 0) {
      const middle = source.length >> 1
      life.step()
      cells.set(source.subarray(0, middle), at)
      life.step()
      cells.set(source.subarray(middle), at + middle)
    },
  }
  return new Proxy(cells, {
    get(target, name) {
      if (name === 'fill' || name === 'set') return bulk[name]
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set(target, name, value) {
      life.step()
      return Reflect.set(target, name, value)
    },
  })
}

type AtomicsFunction = (cells: Int32Array, ...rest: unknown[]) => unknown

/** Lets `Atomics` work on counted cells, and counts there too. Call the result to undo it. */
export function countAtomics(): () => void {
  const names = ['load', 'store', 'add', 'exchange', 'compareExchange', 'notify', 'wait', 'waitAsync'] as const
  const originals = names.map((name) => [name, Atomics[name] as unknown as AtomicsFunction] as const)
  for (const [name, original] of originals) {
    const replaced: AtomicsFunction = (cells, ...rest) => {
      const real = behind.get(cells)
      if (real === undefined) return original(cells, ...rest)
      if (name !== 'load') real.life.step()
      return original(real.cells, ...rest)
    }
    Object.assign(Atomics, { [name]: replaced })
  }
  return () => {
    Object.assign(Atomics, Object.fromEntries(originals))
  }
}
