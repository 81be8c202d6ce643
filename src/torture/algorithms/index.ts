/** Every algorithm that the laboratory knows: the museum, in its order, and ours. */
import type { Algorithm } from '../algorithm.js'
import { addDelete } from './add-delete.js'
import { addTokenRows } from './add-token.js'
import { alwaysRelease, rehashing } from './context-manager.js'
import { earlyRelease } from './early-release.js'
import { onEngines } from './engines.js'
import { getThenSet } from './get-then-set.js'
import { ours } from './latchkey.js'
import { casTries, readModifySet } from './profile.js'
import { readBack } from './read-back.js'

const museum: readonly Algorithm[] = [
  ...[getThenSet, readBack, addDelete, alwaysRelease, rehashing],
  ...[readModifySet, casTries, earlyRelease, ...addTokenRows],
].sort((one, other) => one.row! - other.row!)

/** What is put under faults unless something else is asked for. */
export const catalogue: readonly Algorithm[] = [...museum.map(withoutLists), ...ours]

const everything = [...catalogue, ...Object.values(onEngines)]

/** Throws when there is none of that name. */
export function algorithmNamed(name: string): Algorithm {
  const found = everything.find((each) => each.name === name)
  if (found === undefined) throw new Error(`there is no algorithm ${name}`)
  return found
}

export { onEngines, type TorturedEngine } from './engines.js'

/** The key under which an algorithm has the lock of this name: those of the museum take the name as it is. */
export function lockKey({ row }: Algorithm, name: string): string {
  return row === undefined ? `latchkey:lock:${name}` : name
}

/** One server is in the same place of every list. */
function withoutLists(algorithm: Algorithm): Algorithm {
  const { servers = 1, without = [] } = algorithm
  return servers > 1 ? algorithm : { ...algorithm, without: [...without, 'lists'] }
}
