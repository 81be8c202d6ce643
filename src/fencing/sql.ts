/**
 * The guard of a row: an UPDATE that takes effect only if no greater fence has been written to the row, and leaves its own
 * there. Comparing and writing are one statement, so nothing can come in between; SELECT first and UPDATE then would not do.
 */
import { inspect } from 'node:util'
import { StaleFenceError } from './errors.js'

/** What a connection, a pool or a transaction of node-postgres can do, and whatever else takes `$1` parameters. */
export interface Queryable {
  query(text: string, values: unknown[]): Promise<{ rowCount: number | null; rows: Record<string, unknown>[] }>
}

export interface FencedUpdate {
  /** The table, or `schema.table`; names are taken exactly as they are. */
  table: string
  /** The columns that name one row, its key, and their values. */
  where: Record<string, unknown>
  /** The columns to write, and their values. */
  set: Record<string, unknown>
  /** `lock.fence` of the lock under which this is written. */
  fence: bigint
  /** The column that keeps the row's greatest fence so far: a `bigint`, best `NOT NULL DEFAULT 0`. Default `fence`. */
  column?: string
}

/** What a lock's fence, and PostgreSQL's bigint, can be at most. */
const LARGEST = 2n ** 63n - 1n

/**
 * True when the row was written, false when there is none. Rejects with StaleFenceError when a holder with a greater fence
 * has written it: roll the transaction back then. Rejects with TypeError, before anything is sent, for what makes no such
 * statement. What the database refuses rejects as it comes.
 */
export async function fencedUpdate(db: Queryable, update: FencedUpdate): Promise<boolean> {
  const { table, where, set, fence, column = 'fence' } = update
  check(update, column)
  const key = Object.values(where)
  const row = pairs(where, 1).join(' AND ')
  const changes = pairs({ ...set, [column]: fence }, key.length + 1).join(', ')
  const name = quoted(column)
  const ours = `$${key.length + Object.keys(set).length + 1}`
  // A column that was added later is null where no fence has been yet.
  const { rowCount } = await db.query(
    `UPDATE ${path(table)} SET ${changes} WHERE ${row} AND (${name} IS NULL OR ${name} <= ${ours})`,
    [...key, ...Object.values(set), fence],
  )
  if (typeof rowCount !== 'number') {
    throw new TypeError(
      'the database does not tell how many rows were written: whether the fence was too old is not known',
    )
  }
  if (rowCount > 0) return true
  // Refused, or not there: this only tells which, and may look later than the refusal was.
  // As text, lest a driver that reads a bigint as a number loses digits.
  const { rows } = await db.query(`SELECT CAST(${name} AS text) AS fence FROM ${path(table)} WHERE ${row}`, key)
  const newer = BigInt((rows[0]?.fence ?? 0) as string)
  if (newer > fence) throw new StaleFenceError(table, fence, newer)
  return false
}

function check({ table, where, set, fence }: FencedUpdate, column: string): void {
  if (typeof fence !== 'bigint' || fence < 1n || fence > LARGEST) {
    throw new TypeError(`a fence is a bigint from 1 to 2^63 - 1, not ${inspect(fence)}: only a fenced lock has one`)
  }
  const nothing = Object.entries(where).find(([, value]) => value === undefined || value === null)
  if (nothing !== undefined) throw new TypeError(`where: ${nothing[0]} is ${nothing[1]}, which no row equals`)
  if (Object.keys(where).length === 0) throw new TypeError(`where is empty: that would write all of ${table}`)
  if (column in set) throw new TypeError(`set: ${column} is the column of the fence`)
  const missing = Object.keys(set).find((name) => set[name] === undefined)
  if (missing !== undefined) throw new TypeError(`set: ${missing} is undefined`)
}

/** `"column" = $n`, counting from `first`. */
function pairs(columns: Record<string, unknown>, first: number): string[] {
  return Object.keys(columns).map((name, i) => `${quoted(name)} = $${first + i}`)
}

function path(table: string): string {
  return table.split('.').map(quoted).join('.')
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
