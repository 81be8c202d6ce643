import type { Call } from '../support/keep-busy.js'
import { type Cell, manyKeys } from './cells.js'
import type { Subject } from './subjects/subject.js'
import type { Values, Workload } from './workload.js'

/** One in so many replies has its content compared; the length is checked in all. */
const checkedShare = 64

export function callFor({ operation }: Cell, subject: Subject, work: Workload, values: Values): Call {
  if (operation === 'get') return getCall(subject, work, values)
  return operation === 'set' ? setCall(subject, work, values) : getManyCall(subject, work, values)
}

function getCall(subject: Subject, { keys, sequence }: Workload, values: Values): Call {
  const itemOf = (turn: number) => sequence[turn % sequence.length]
  return {
    send: (turn) => subject.get(keys[itemOf(turn)]),
    check: (turn, reply) => values.check(itemOf(turn), subject.valueOf(reply), turn % checkedShare === 0),
  }
}

function setCall(subject: Subject, { keys, sequence }: Workload, values: Values): Call {
  const itemOf = (turn: number) => sequence[turn % sequence.length]
  return {
    send: (turn) => subject.set(keys[itemOf(turn)], values.of(itemOf(turn))),
    check: (turn, reply) => {
      if (!subject.stored(reply)) throw new Error(`item ${itemOf(turn)} was not stored`)
    },
  }
}

function getManyCall(subject: Subject, { lists }: Workload, values: Values): Call {
  return {
    send: (turn) => subject.getMany(lists[turn % lists.length].keys),
    check: (turn, reply) => {
      const { items, keys } = lists[turn % lists.length]
      const compared = turn % manyKeys
      for (let at = 0; at < manyKeys; at++) {
        values.check(items[at], subject.valueIn(reply, keys[at]), at === compared)
      }
    },
  }
}

/** Stores every item, some at once. */
export async function storeAll(subject: Subject, { keys }: Workload, values: Values): Promise<void> {
  let next = 0
  const loop = async () => {
    for (let item = next++; item < keys.length; item = next++) {
      if (!subject.stored(await subject.set(keys[item], values.of(item))))
        throw new Error(`${keys[item]} was not stored`)
    }
  }
  await Promise.all(Array.from({ length: 16 }, loop))
}
