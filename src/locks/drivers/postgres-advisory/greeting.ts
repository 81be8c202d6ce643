/** What is found out once of each connection that the pool has: may a lock have it? */
import type { Call } from '../../driver.js'
import { LockArgumentError } from '../../errors.js'
import { askOn, type PostgresClient, type Row } from '../postgres/asking.js'
import { GREETING } from './statements.js'

/** With `idle_session_timeout`. */
const OLDEST = 140_000

/** What a connection has told of itself. */
export interface Greeting {
  readonly pid: number
  /** Until the next restart. */
  readonly run: string
  /** `idle_session_timeout` and `client_connection_check_interval`, as its user has them. */
  readonly idle: string
  readonly checked: string
}

const greetings = new WeakMap<PostgresClient, Greeting>()

/** Rejects with LockArgumentError where no lock can have a connection of its own. */
export async function greet(client: PostgresClient, name: string, call: Call): Promise<Greeting> {
  const known = greetings.get(client)
  if (known !== undefined) return known
  const [row] = await askOn(client, 'asks', name, call, GREETING, [])
  const { version, pid, run, idle, checked } = row as Row & { version: number; pid: number }
  checkGreeting(version, pid, client.processID, name)
  const greeting = { pid, run: `${run}`, idle: `${idle}`, checked: `${checked}` }
  greetings.set(client, greeting)
  return greeting
}

/** `told`: the process that the connection was said to be to. A pooler says something else, and may give every statement another. */
export function checkGreeting(version: number, pid: number, told: unknown, name: string): void {
  if (version < OLDEST) {
    throw new LockArgumentError('advisory locks end by idle_session_timeout, which PostgreSQL has from 14 on', name)
  }
  if (told === undefined || told === null) {
    throw new LockArgumentError(
      'advisory locks need clients that tell their processID, as those of pg-native do not',
      name,
    )
  }
  if (pid !== told) {
    const why = 'advisory locks need a connection to PostgreSQL itself: there is a pooler before it, such as PgBouncer'
    throw new LockArgumentError(`${why} (postgres() does without)`, name)
  }
}
