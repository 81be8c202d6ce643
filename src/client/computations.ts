/** Computations under way in this process, shared by the callers of one key: whoever comes later joins. */
import type { Codec } from './codec.js'

interface Computation {
  readonly result: Promise<unknown>
  callers: number
}

export class Computations {
  readonly #byCodec = new WeakMap<object, Map<string, Computation>>()

  /**
   * Joins the computation of `id`, or begins it. `wait` is the caller's own patience with the result. `begin` is told
   * how to find out whether anybody still waits; when nobody does, the computation is left to itself.
   */
  async join<T>(
    codec: Codec<T>,
    id: string,
    begin: (isWanted: () => boolean) => Promise<T>,
    wait: (result: Promise<T>) => Promise<T>,
  ): Promise<T> {
    const running = this.#of(codec)
    const computation = running.get(id) ?? this.#begin(running, id, begin)
    computation.callers++
    try {
      return await wait(computation.result as Promise<T>)
    } finally {
      computation.callers--
    }
  }

  #of(codec: object): Map<string, Computation> {
    const running = this.#byCodec.get(codec) ?? new Map<string, Computation>()
    this.#byCodec.set(codec, running)
    return running
  }

  #begin<T>(
    running: Map<string, Computation>,
    id: string,
    begin: (isWanted: () => boolean) => Promise<T>,
  ): Computation {
    const over = () => {
      if (running.get(id) === computation) running.delete(id)
    }
    const isWanted = () => {
      // Who comes after this begins a new one.
      if (computation.callers === 0) over()
      return computation.callers > 0
    }
    const computation: Computation = { result: Promise.resolve().then(() => begin(isWanted)), callers: 0 }
    running.set(id, computation)
    computation.result.then(over, over)
    return computation
  }
}
