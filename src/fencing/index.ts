/** What a fence is worth at the resource that it guards: the refusal of a late writer, and a guard for SQL. */
export { StaleFenceError } from './errors.js'
export { type FencedUpdate, fencedUpdate, type Queryable } from './sql.js'
