/**
 * How the requests of a connection are read and answered. A connection knows bytes, turns and back-pressure, and no
 * protocol; its dialect knows one, and no sockets. One may give way to another: see `negotiation.ts`.
 */
import type { Bytes } from '../store/index.js'
import type { Client, Parked } from './parked.js'

/** Replies are sent when they reach this many bytes, and at the end of every batch. */
export const FLUSH_BYTES = 131_072

export interface Dialect {
  /**
   * Answers the requests between `start` and `end`, in order, for as long as the flow lets it. Where it stopped: at the end,
   * before bytes that are no whole request yet, or behind the request that stopped the flow.
   */
  answer(bytes: Bytes, start: number, end: number): number
  /** After `answer`: to try again is of no use before this many bytes are there, counted from where it stopped. */
  readonly needed: number
  /** What has been written so far is on its way, and cannot be taken back. */
  sent(): void
}

/** A long answer, written a slice at a time. */
export interface Slices {
  /** Writes one, and throws nothing. True when that was the last. */
  step(): boolean
}

/** What a dialect can do with its connection. After all but the first three it answers no other request, and returns. */
export interface Flow extends Client {
  /** Asked before every request. False: not now, because the client does not read, or because it has had its turn. */
  mayAnswer(): boolean
  /** The request just answered may have taken as long as many: it was this turn's last. */
  endTurn(): void
  /** Another dialect goes on from where this one returns. */
  speak(dialect: Dialect): void
  /** The answer is made elsewhere: `write` is called when it is there, and can be written. */
  wait<T>(answer: Promise<T>, write: (answer: T) => void): void
  /** The answer is written in slices, between which others have their turn. */
  walk(slices: Slices): void
  /** The request waits in its key's queue. */
  park(parked: Parked): void
  /** The client is told what happens (`EventKind` bits) from now on, and asks no more. */
  watch(kinds: number): void
  /** Sends what has been written, and closes. */
  close(): void
}
