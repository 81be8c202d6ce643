/** What is guarded: a list in a database that never fails. A step takes some milliseconds, and is carried out in between. */
import { StaleFenceError } from '../../locks/index.js'
import type { Resource, Transaction } from '../algorithm.js'
import { Draw, drawn } from './chance.js'
import type { Machine } from './machine.js'

const LEAST_MS = 0.5
const MOST_MS = 4
/** A commit has to be on the disk. */
const COMMIT_MS = 15

/** The database itself. */
export class Database {
  ids: readonly string[] = []
  #highest: bigint | undefined

  check(fence: bigint | undefined): void {
    if (fence === undefined) return
    if (this.#highest !== undefined && fence < this.#highest) {
      throw new StaleFenceError('the set', fence, this.#highest)
    }
    this.#highest = fence
  }
}

/** As one participant reaches it. */
export class RemoteResource implements Resource {
  readonly #database: Database
  readonly #machine: Machine
  readonly #seed: number
  #steps = 0

  constructor(database: Database, machine: Machine, seed: number) {
    this.#database = database
    this.#machine = machine
    this.#seed = seed
  }

  read(fence?: bigint): Promise<readonly string[]> {
    return this.#step(MOST_MS, () => {
      this.#database.check(fence)
      return [...this.#database.ids]
    })
  }

  write(ids: readonly string[], fence?: bigint): Promise<void> {
    const written = [...ids]
    return this.#step(MOST_MS, () => {
      this.#database.check(fence)
      this.#database.ids = written
    })
  }

  begin(): Transaction {
    let written: readonly string[] | undefined
    return {
      read: () => this.#step(MOST_MS, () => [...(written ?? this.#database.ids)]),
      write: (ids) => {
        const copy = [...ids]
        return this.#step(MOST_MS, () => {
          written = copy
        })
      },
      commit: () =>
        this.#step(COMMIT_MS, () => {
          if (written !== undefined) this.#database.ids = written
        }),
    }
  }

  #step<R>(mostMs: number, run: () => R): Promise<R> {
    const machine = this.#machine
    machine.act()
    const nth = this.#steps++
    const [thereMs, backMs] = [0, 1].map(
      (way) => LEAST_MS + drawn(this.#seed, Draw.Step, machine.who, nth, way) * (mostMs - LEAST_MS),
    )
    return new Promise((resolve, reject) => {
      machine.elsewhere(thereMs, () => {
        const settle = outcomeOf(run, resolve, reject)
        machine.elsewhere(backMs, () => machine.deliver(settle))
      })
    })
  }
}

function outcomeOf<R>(run: () => R, resolve: (result: R) => void, reject: (error: unknown) => void): () => void {
  try {
    const result = run()
    return () => resolve(result)
  } catch (error) {
    return () => reject(error)
  }
}
