import type { StoreHandle } from 'latchkey/store'

/** Where the locks are kept: at a server on the loopback, or in shared memory, which a process may make for itself. */
export interface Target {
  port?: number
  handle?: StoreHandle
}

/** The lease of every lock, of everybody. */
export interface Terms {
  ttlMs: number
}

/** Longer than any run: who waits, waits until it is his turn. */
export const patienceMs = 60_000

/** A lock library under measurement, set as its manual shows; polling keeps its default interval. */
export interface LockSubject<Held = unknown> {
  /** Resolves when the lock is held; waits for it as the library does. */
  acquire(name: string): Promise<Held>
  /** Rejects when the lock was not held any more, if the library tells. */
  release(held: Held): Promise<unknown>
  /** Whether the library says that the lease still runs. */
  holds(held: Held): boolean
  close(): Promise<void>
}

export type OpenLockSubject = (target: Target, terms: Terms) => Promise<LockSubject>
