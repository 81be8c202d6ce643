/** What callers of one process do together for a key: whoever comes later joins. */
import type { Codec } from './codec.js'

interface Computation {
  readonly result: Promise<unknown>
  callers: number
}

export class Computations {
  readonly #byCodec = new WeakMap<object, Map<string, Computation>>()

  /** What others can join; where something is under way already, they stay with that. */
  lead<T>(codec: Codec<T>, id: string, result: Promise<T>): Promise<T> {
    const running = this.#of(codec)
    if (!running.has(id)) this.#note(running, id, { result, callers: 1 })
    return result
  }

  /**
   * Joins what is under way for `id`, or begins it. `wait` is the caller's own patience with the result. `begin` is told
   * how to find out whether anybody still waits.
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
    const isWanted = () => {
      // Who comes after this begins anew.
      if (computation.callers === 0) running.delete(id)
      return computation.callers > 0
    }
    const computation: Computation = { result: Promise.resolve().then(() => begin(isWanted)), callers: 0 }
    this.#note(running, id, computation)
    return computation
  }

  #note(running: Map<string, Computation>, id: string, computation: Computation): void {
    const over = () => {
      if (running.get(id) === computation) running.delete(id)
    }
    running.set(id, computation)
    computation.result.then(over, over)
  }
}
