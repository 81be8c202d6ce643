/** What is otherwise if each lock has a connection. */
import type { Facts } from '../../driver.js'

const FREES =
  'A connection that ends frees its lock at once, though its holder may live, and believe in it until its lease is over.'
const WAITS = 'A lock whose connection ends before it was released is nobody else’s until its lease is over.'

export function withAdvisory(facts: Facts, frees: boolean): Facts {
  return {
    ...facts,
    what: `${facts.what}, with advisory locks`,
    queues: true,
    endsWithConnection: frees,
    notes: [frees ? FREES : WAITS, ...facts.notes],
  }
}
