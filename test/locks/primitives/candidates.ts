/** Candidates on a model server, in virtual time, and what they have been told. */
import type { Candidate, ElectOptions, Leader, LockError } from 'latchkey/locks'
import { type Model, type ModelOptions, model } from '../support/model.js'

export const KEY = 'latchkey:lock:boss'

export interface Watched extends Model {
  readonly candidate: Candidate
  /** In order: `elected 1001`, `lost LOCK_LOST`, `error LOCK_UNAVAILABLE`. */
  readonly told: string[]
  readonly leaders: Leader[]
}

/** One more `Locks` on the server of the others, and a candidate of it. */
export function standing(options: Partial<ElectOptions> = {}, setting: ModelOptions = {}): Watched {
  const own = model({ queues: true, ...setting })
  const told: string[] = []
  const leaders: Leader[] = []
  const candidate = own.locks.elect('boss', {
    ttl: '10s',
    ...options,
    onElected: (leader) => {
      told.push(`elected ${leader.fence}`)
      leaders.push(leader)
      return options.onElected?.(leader)
    },
    onLost: (reason, leader) => {
      told.push(`lost ${reason.code}`)
      return options.onLost?.(reason, leader)
    },
    onError: (error) => {
      told.push(`error ${(error as LockError).code ?? (error as Error).message}`)
      return options.onError?.(error)
    },
  })
  return { ...own, candidate, told, leaders }
}
